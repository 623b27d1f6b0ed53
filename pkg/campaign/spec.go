package campaign

import (
	"fmt"
	"path"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// KindRun is the kind of job that a run is.
const KindRun = "run"

// Spec is what a run is to do. It never changes.
type Spec struct {
	Title string `json:"title,omitzero"`
	Content
	Class    message.Class `json:"class"`
	Audience Audience      `json:"audience"`

	// Schedule is whose run it is, as it was made at the version Since, for Due; "" is a campaign's. External is one
	// that is not ours; Manual was started by somebody, whatever the time.
	Schedule string       `json:"schedule,omitzero"`
	Since    int64        `json:"since,omitzero"`
	Due      message.Time `json:"due,omitzero"`
	Date     string       `json:"date,omitzero"` // of Due in the schedule's zone, for {run_date}
	External bool         `json:"external,omitzero"`
	Manual   bool         `json:"manual,omitzero"`
	Late     string       `json:"late,omitzero"`   // why it began late
	Window   int          `json:"window,omitzero"` // seconds: bounds the content window
	Owner    string       `json:"owner,omitzero"`

	// Ask has the run weigh its audience first, and wait for somebody's word.
	Ask bool `json:"ask,omitzero"`
	// Live and Key are of who ordered it: a test key's run sends nothing.
	Live bool   `json:"live,omitzero"`
	Key  string `json:"key,omitzero"`
}

// Audience is where a run's rows are. Exactly one of Kept, Path, URL and Failures is set.
type Audience struct {
	// Kept is an object that is there already: an upload, or rows that came with the order.
	Kept string `json:"kept,omitzero"`
	// Path is a file that the tenant puts into his folder of sources, in time for each run: {run_date} in it
	// is replaced.
	Path string `json:"path,omitzero"`
	// URL is the tenant's own system, which is asked for the rows at each run, with the secret of this
	// generation.
	URL        string `json:"url,omitzero"`
	Generation int    `json:"generation,omitzero"`
	// Failures are those of another run.
	Failures string `json:"failures,omitzero"`

	Format  audience.Format  `json:"format,omitzero"`
	Columns audience.Columns `json:"columns,omitzero"`
	// Rows is how many there are, where that is known before they are read.
	Rows int `json:"rows,omitzero"`
}

// others tells whether somebody else than we can write the rows while a run is under way: into the folder of sources,
// or anew with the address that an upload was granted.
func (a *Audience) others() bool {
	return a.Path != "" || strings.HasPrefix(path.Base(a.Kept), UploadPrefix)
}

// phase is what a run is at.
type phase string

const (
	reading   phase = ""          // its audience
	weighing  phase = "weighing"  // what it would cost
	expanding phase = "expanding" // rows into messages
	following phase = "following" // the messages to their end
	stopping  phase = "stopping"  // taking back what can be
)

// cursor is how far a run is.
type cursor struct {
	Phase phase          `json:"ph,omitzero"`
	Part  int            `json:"p,omitzero"` // of the audience
	At    audience.Place `json:"at,omitzero"`
	// Parts is how many the audience has, once it was read; Size is of a file that is read over several
	// pages; Next is where the tenant's system goes on.
	Parts int    `json:"ps,omitzero"`
	Size  int64  `json:"sz,omitzero"`
	Next  string `json:"nx,omitzero"`
	// Channel is that of most rows.
	Channel message.Channel `json:"ch,omitzero"`
	// Marks are messages that tell how much of what was made has not been sent.
	Marks []mark `json:"m,omitzero"`
	// Made is when all rows were messages; Ended when none of them was on its way any more.
	Made  message.Time `json:"md,omitzero"`
	Ended message.Time `json:"en,omitzero"`
	Care  int          `json:"ca,omitzero"` // surveys after the end, or of the stop
	// Stopped is when a stop cut off the making of messages.
	Stopped message.Time `json:"stp,omitzero"`
	Soon    bool         `json:"so,omitzero"` // looked at once more soon after the end
	Survey  survey       `json:"sv,omitzero"`
}

// run is a job with what is in it.
type run struct {
	store.Job
	Spec
	at cursor
	as tenant.Principal
}

func openRun(j store.Job) (*run, error) {
	r := &run{Job: j}
	if err := json.Unmarshal(j.Spec, &r.Spec); err != nil {
		return nil, fmt.Errorf("campaign: what run %s is to do: %w", j.ID, err)
	}
	if len(j.Cursor) > 0 {
		if err := json.Unmarshal(j.Cursor, &r.at); err != nil {
			return nil, fmt.Errorf("campaign: how far run %s is: %w", j.ID, err)
		}
	}
	r.as = tenant.System("schedule")
	r.as.Live, r.as.KeyID = r.Live, r.Key
	return r, nil
}

// cursor is how far the run is, for its record.
func (r *run) cursor() (jsontext.Value, error) {
	b, err := json.Marshal(r.at, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("campaign: how far run %s is: %w", r.ID, err)
	}
	return b, nil
}

// order is a page of the run.
func (r *run) order(lines []Line) Order {
	return Order{Tenant: r.Tenant, Content: r.Content, Run: r.ID, Began: r.began(), Window: seconds(r.Window), Lines: lines}
}

// began is the instant that all of its messages' ids have.
func (r *run) began() message.Time { return r.Created }

// part is the key of a part of the audience, which is one where nothing was copied.
func (r *run) part(n int) string {
	if r.Audience.Kept != "" && r.at.Parts == 0 {
		return r.Audience.Kept
	}
	return r.copied(n)
}

func (r *run) copied(n int) string {
	return fmt.Sprintf("runs/%s/audience/%06d", r.ID, n)
}

func (r *run) badKey(row int) string { return fmt.Sprintf("runs/%s/bad/%07d", r.ID, row) }
