package campaign

import (
	"context"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
)

// neighbours are the runs that go over the same channel in the same lane as another.
type neighbours struct {
	sharing int // those that make messages, the other one too
	under   int // messages of the others that are under way
}

// glance is what a run's record tells its neighbours.
type glance struct {
	Phase   phase           `json:"ph"`
	Channel message.Channel `json:"ch"`
	Marks   []mark          `json:"m"`
}

// neighbours looks at all runs that are active. They are few, each of them many messages.
func (c *Campaigns) neighbours(ctx context.Context, r *run) (neighbours, error) {
	n := neighbours{sharing: 1}
	for after := ""; ; {
		page, err := c.Store.DueJobs(ctx, 0, 100, after) // what is unreadable is the sweep's to report
		if err != nil {
			return n, err
		}
		for _, j := range page.Jobs {
			var at glance
			var of struct {
				Class message.Class `json:"class"`
			}
			if j.Kind != KindRun || j.ID == r.ID || len(j.Cursor) == 0 || json.Unmarshal(j.Cursor, &at) != nil || json.Unmarshal(j.Spec, &of) != nil {
				continue
			}
			if at.Channel != r.at.Channel || of.Class.Defaults().Lane != r.lane() {
				continue
			}
			if at.Phase == expanding {
				n.sharing++
			}
			for _, m := range at.Marks {
				n.under += m.N
			}
		}
		if after = page.Next; after == "" {
			return n, nil
		}
	}
}
