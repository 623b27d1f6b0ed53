package sim_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/sim"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/storetest"
)

// The disk of the virtual world is a driver like any other: a wrong one would prove nothing.
func TestDisk(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Driver { return sim.NewDisk() }, storetest.Features{})
}
