package deploy_test

import (
	"flag"
	"os"
	"testing"
)

// A stack that something else has deployed, as deploy/scenario.sh does: TestDeployed then deploys none, and
// only tells the story of both worlds. Its key is in NOTIFY_KEY.
var (
	namedURL   = flag.String("stack.url", "", "API of a stack that is deployed already, with REST or HTTP")
	namedReach = flag.String("stack.reach", "127.0.0.1", "address of this machine as that stack sees it")
)

// named tells the scenario to the stack that the flags name.
func named(t *testing.T) {
	d := &deployment{stack: &stack{api: api{*namedURL, os.Getenv("NOTIFY_KEY")}}, sinks: newSinks(t, *namedReach)}
	d.configure(t, d.sinks)
	d.worlds(t)
}
