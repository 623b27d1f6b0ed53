package quota

import (
	"context"
	"sync"
	"time"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// Store counts what is given out.
type Store interface {
	Meter(ctx context.Context, of store.Subject, windows []limit.Window, n int, urgent bool) ([]limit.Level, error)
}

const (
	// ahead is how long a lease shall last at the pace of now.
	ahead = 200 * time.Millisecond
	// most is the part of a window that one lease takes for what may come; what is here is leased anyway.
	most = 10
	// trouble is how long nobody asks a store that failed.
	trouble = time.Second
)

// Quota is a process's share of the limits. It is safe for concurrent use.
type Quota struct {
	store Store
	now   func() time.Time

	mu       sync.Mutex
	subjects map[store.Subject]*subject
}

// New makes a Quota that holds nothing yet.
func New(s Store, now func() time.Time) *Quota {
	return &Quota{store: s, now: now, subjects: map[store.Subject]*subject{}}
}

// subject is what this process knows of one subject's limits.
type subject struct {
	mu      sync.Mutex
	limits  limit.Limits
	windows []limit.Window
	levels  []limit.Level // when they were last asked for
	until   message.Time  // the end of the first window to end, and of what is leased
	kinds   [2]kind       // of the others, of the urgent
	asking  chan struct{} // closed when the lease that is under way is there
}

// kind is a subject's places for one kind of messages.
type kind struct {
	left    int          // leased, and not spent
	full    message.Time // nothing is to be had before
	fault   error        // why, if not for want of places: the store failed
	waiting int          // for the lease that is under way
	second  int64
	spent   [2]int // in this second and in the one before
}

// Pass is the right to one call.
type Pass struct {
	until message.Time // 0: for good
	// Windows are those that it was counted in, and Levels what they held when this process last asked.
	Windows []limit.Window
	Levels  []limit.Level
}

// Good tells whether the pass still holds: it ends with its windows.
func (p Pass) Good(now message.Time) bool { return p.until == 0 || now < p.until }

// Take takes a place in every window of a subject's limits, or says how long to wait for one.
func (q *Quota) Take(ctx context.Context, of store.Subject, l limit.Limits, urgent bool) (Pass, time.Duration, error) {
	return q.TakeMany(ctx, of, l, 1, urgent)
}

// TakeMany takes n places, or none and says how long to wait; n is at most what a window has for their kind,
// else the wait is in vain. Places that were leased on the way stay here for those who want fewer.
func (q *Quota) TakeMany(ctx context.Context, of store.Subject, l limit.Limits, n int, urgent bool) (Pass, time.Duration, error) {
	if l.None() || n <= 0 {
		return Pass{}, 0, nil
	}
	s := q.subject(of)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		now := message.At(q.now())
		s.roll(l, now)
		k := s.kind(urgent)
		switch {
		case s.spend(n, urgent, now):
			return Pass{s.until, s.windows, s.levels}, 0, nil
		case now < k.full && k.fault != nil:
			return Pass{}, 0, k.fault
		case now < k.full:
			return Pass{Windows: s.windows, Levels: s.levels}, k.full.Sub(now), nil
		case s.asking != nil:
			if err := s.wait(ctx, k, n); err != nil {
				return Pass{}, 0, err
			}
		default:
			if err := q.lease(ctx, of, s, n, urgent, now); err != nil {
				return Pass{}, 0, err
			}
		}
	}
}

func (q *Quota) subject(of store.Subject) *subject {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.subjects[of]
	if s == nil {
		s = &subject{}
		q.subjects[of] = s
	}
	return s
}

func (s *subject) kind(urgent bool) *kind {
	if urgent {
		return &s.kinds[1]
	}
	return &s.kinds[0]
}

// roll goes on to the windows of now. What was leased in those before has lapsed.
func (s *subject) roll(l limit.Limits, now message.Time) {
	if l == s.limits && len(s.windows) > 0 && now < s.until && now >= s.windows[0].From {
		return
	}
	s.limits, s.windows, s.levels = l, l.Windows(now), nil
	s.until = s.windows[0].Until
	for _, w := range s.windows {
		s.until = min(s.until, w.Until)
	}
	for i := range s.kinds {
		s.kinds[i].left, s.kinds[i].full, s.kinds[i].fault = 0, 0, nil
	}
}

// spend uses n leased places. When all that is kept for the urgent is gone, they take what was leased for
// the others.
func (s *subject) spend(n int, urgent bool, now message.Time) bool {
	from := s.kind(urgent)
	if from.left < n && urgent && now < from.full {
		from = s.kind(false)
	}
	if from.left < n {
		return false
	}
	from.left -= n
	s.kind(urgent).note(n, now)
	return true
}

func (k *kind) note(n int, now message.Time) {
	switch second := int64(now) / 1000; second - k.second {
	case 0:
	case 1:
		k.spent = [2]int{0, k.spent[0]}
		k.second = second
	default:
		k.spent = [2]int{}
		k.second = second
	}
	k.spent[0] += n
}

// pace is how many a second were spent of late.
func (k *kind) pace(now message.Time) int {
	switch int64(now)/1000 - k.second {
	case 0:
		return max(k.spent[0], k.spent[1])
	case 1:
		return k.spent[0]
	}
	return 0
}

// wait waits for the lease that is under way; the next one asks for the n that it needs, too.
func (s *subject) wait(ctx context.Context, k *kind, n int) error {
	asking := s.asking
	k.waiting += n
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		k.waiting -= n
	}()
	select {
	case <-asking:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lease asks the store for places: for the one who wants so many, those who wait, and what is expected soon.
func (q *Quota) lease(ctx context.Context, of store.Subject, s *subject, want int, urgent bool, now message.Time) error {
	k := s.kind(urgent)
	here := max(want-k.left, 1) + k.waiting
	soon := int(int64(k.pace(now)) * int64(min(ahead, s.until.Sub(now))) / int64(time.Second))
	n := here + soon
	for i, w := range s.windows {
		n = min(n, max(here, w.Most/most))
		if s.levels != nil { // what is gone is gone
			n = min(n, max(w.Left(s.levels[i], urgent), 1))
		}
	}
	windows, until := s.windows, s.until
	levels, err := q.ask(ctx, of, s, n, urgent)
	if s.until != until { // it came when its windows were over
		return err
	}
	if err != nil {
		k.full, k.fault = now.Add(trouble), err
		return err
	}
	s.levels = levels
	for i := range s.kinds { // it works again
		if of := &s.kinds[i]; of.fault != nil {
			of.full, of.fault = 0, nil
		}
	}
	got := n
	for i, w := range windows {
		got = min(got, w.Grant(levels[i], n, urgent))
	}
	k.left += got
	for i, w := range windows {
		for j, urgent := range []bool{false, true} {
			if w.Full(levels[i], urgent) {
				s.kinds[j].full = max(s.kinds[j].full, w.Until)
			}
		}
	}
	return nil
}

// ask asks the store, while others wait and spend.
func (q *Quota) ask(ctx context.Context, of store.Subject, s *subject, n int, urgent bool) ([]limit.Level, error) {
	windows, done := s.windows, make(chan struct{})
	s.asking = done
	s.mu.Unlock()
	defer func() { // whatever happens meanwhile
		s.mu.Lock()
		s.asking = nil
		close(done)
	}()
	return q.store.Meter(ctx, of, windows, n, urgent)
}

// Give gives back places that were taken and not used. They stay in this process, and lapse with their
// window like all that it leases; what is given back when its window is over is gone.
func (q *Quota) Give(of store.Subject, p Pass, n int, urgent bool) {
	s := q.subject(of)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.until != 0 && p.until == s.until && message.At(q.now()) < s.until {
		s.kind(urgent).left += n
	}
}

// Full is until when there is nothing to be had, as far as this process knows.
func (q *Quota) Full(of store.Subject, urgent bool) message.Time {
	s := q.subject(of)
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.kind(urgent); k.left == 0 {
		return k.full
	}
	return 0
}

// Pace is how many places a second this process had of late: what it may expect to have.
func (q *Quota) Pace(of store.Subject, urgent bool) int {
	s := q.subject(of)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kind(urgent).pace(message.At(q.now()))
}
