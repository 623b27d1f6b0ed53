package memory_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/store/memory"
	"github.com/opennotify/notify/pkg/store/storetest"
)

// It is a driver like any other: a wrong one would prove nothing.
func TestDriver(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Driver { return memory.New() }, storetest.Features{})
}
