package job

import (
	"context"
	"errors"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
)

// perPage is how many jobs are read at once.
const perPage = 100

// Requeue puts the entries of all pages whose time has come and that nobody did: the entry was lost, or
// the wait was longer than an entry can. Those of one page are spaced 1, 2, 4 … minutes.
func (s *Jobs) Requeue(ctx context.Context) (int, error) {
	now := s.now()
	return s.each(ctx, now+1, func(j store.Job) (bool, error) {
		if !j.State.Active() || j.Due == 0 || j.Due > now { // the index lags behind the records
			return false, nil
		}
		j.Due = now.Add(grace << min(j.Requeues, 6))
		j.Requeues++
		j, err := s.Store.SaveJob(ctx, s.as, now, j)
		if errors.As(err, new(*store.StaleJob)) || errors.Is(err, store.ErrNotFound) {
			return false, nil // somebody is at it
		}
		if err == nil {
			s.send(ctx, j, 0)
		}
		return err == nil, err
	})
}

// Rebuild puts the entries of all active jobs, without touching the records: for queues in memory, which
// are empty after a start.
func (s *Jobs) Rebuild(ctx context.Context) (int, error) {
	now := s.now()
	return s.each(ctx, 0, func(j store.Job) (bool, error) {
		wait := max(j.Due.Sub(now)-grace, 0).Truncate(time.Second)
		if !j.State.Active() || wait > queue.MaxDelay {
			return false, nil
		}
		s.send(ctx, j, wait)
		return true, nil
	})
}

// each goes through the jobs that are due before an instant and counts what do did.
func (s *Jobs) each(ctx context.Context, before message.Time, do func(store.Job) (bool, error)) (n int, err error) {
	for after := ""; ; {
		page, err := s.Store.DueJobs(ctx, before, perPage, after)
		if err != nil {
			return n, err
		}
		for _, bad := range page.Bad { // the rest goes on
			s.Log.ErrorContext(ctx, "job unreadable", "error", bad)
		}
		for _, j := range page.Jobs {
			did, err := do(j)
			if err != nil {
				return n, err
			}
			if did {
				n++
			}
		}
		if after = page.Next; after == "" {
			return n, nil
		}
	}
}
