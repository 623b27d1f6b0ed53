package callback

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

const (
	// failingFor is how long an endpoint may do nothing but fail.
	failingFor = 5 * 24 * time.Hour
	// newsFor is how long a process trusts what it read of an endpoint's health, and how seldom it counts
	// failures on the disk: a busy endpoint's record would be written more often than its callbacks.
	newsFor = time.Minute
	// wellFor is how old the last success may look.
	wellFor = time.Hour
)

// pulse is what this process knows of an endpoint's health.
type pulse struct {
	kept store.Health
	read message.Time // 0: never
	more int          // failures that are not counted on the disk yet
}

// Heard is told what an endpoint answered to a callback, and switches off one that is gone, or has done
// nothing but fail. What is lost on the way is learnt from the next answer.
func (c *Callbacks) Heard(ctx context.Context, r *store.Record, res message.Result) {
	now := c.now()
	h, news, err := c.count(ctx, r, res, now)
	if err == nil && news {
		err = c.keep(ctx, r, h, now)
	}
	if err != nil {
		c.Log.WarnContext(ctx, "endpoint's health not kept", "tenant", r.Tenant, "endpoint", r.Endpoint, "error", err)
	}
	switch {
	case res.HTTPStatus == http.StatusGone:
		err = c.switchOff(ctx, r, config.OffGone, fmt.Sprintf("it answered 410 Gone to %s", r.ID), now)
	case h.Failing != 0 && now.Sub(h.Failing) >= failingFor:
		err = c.switchOff(ctx, r, config.OffFailing, fmt.Sprintf("nothing but failures since %s, the last of %s", h.Failing, r.ID), now)
	}
	if err != nil {
		c.Log.ErrorContext(ctx, "endpoint not switched off", "tenant", r.Tenant, "endpoint", r.Endpoint, "error", err)
	}
}

// count adds an answer to what is known, and tells whether that is worth keeping.
func (c *Callbacks) count(ctx context.Context, r *store.Record, res message.Result, now message.Time) (h store.Health, news bool, err error) {
	name := config.EndpointAccount(r.Tenant, r.Endpoint)
	c.mu.Lock()
	p := c.pulses[name]
	if p == nil {
		p = &pulse{}
		c.pulses[name] = p
	}
	h, stale := p.kept, now.Sub(p.read) >= newsFor
	c.mu.Unlock()
	if stale {
		if h, err = c.Store.Health(ctx, c.as, r.Tenant, r.Endpoint); err != nil {
			return store.Health{}, false, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if stale {
		p.kept, p.read = h, now
	}
	if res.Outcome == message.Accepted {
		p.more = 0
		news = h.Failing != 0 || now.Sub(h.Succeeded) >= wellFor
		h.Succeeded, h.Failing, h.Failures = now, 0, 0
		return h, news, nil
	}
	p.more++
	if news = stale || h.Failing == 0; news {
		h.Failures, p.more = h.Failures+p.more, 0
		h.Failed, h.Status, h.Code = now, res.HTTPStatus, res.Code
		if h.Failing == 0 {
			h.Failing = now
		}
	}
	return h, news, nil
}

// keep writes a health. Where another process was quicker, its word stands, and is read next time.
func (c *Callbacks) keep(ctx context.Context, r *store.Record, h store.Health, now message.Time) error {
	kept, err := c.Store.PutHealth(ctx, c.as, now, r.Tenant, r.Endpoint, h)
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pulses[config.EndpointAccount(r.Tenant, r.Endpoint)]
	if err != nil {
		p.read = 0
		if errors.Is(err, store.ErrConflict) {
			return nil
		}
		return err
	}
	p.kept, p.read = kept, now
	return nil
}

// switchOff switches an endpoint off, unless it was changed since the callback was made for it: then
// whoever did gets another try.
func (c *Callbacks) switchOff(ctx context.Context, r *store.Record, why, reason string, now message.Time) error {
	for range 4 {
		d, err := c.Store.Doc(ctx, store.Endpoints, r.Tenant+"/"+r.Endpoint)
		if errors.Is(err, store.ErrNotFound) || err == nil && d.Deleted {
			return nil
		}
		if err != nil {
			return err
		}
		var e config.Endpoint
		if err := json.Unmarshal(d.Body, &e); err != nil {
			return fmt.Errorf("callback: endpoint %s: %w", d.Name, err)
		}
		if e.Off || why == config.OffFailing && now.Sub(e.Since) < failingFor || e.Since > r.Last().At {
			return nil
		}
		e.Off, e.Why, e.Since = true, why, now
		if d.Body, err = json.Marshal(e, json.Deterministic(true)); err != nil {
			return fmt.Errorf("callback: endpoint %s: %w", d.Name, err)
		}
		d.Reason = reason
		_, err = c.Store.PutDoc(ctx, c.as, now, d)
		c.Config.Changed(store.Endpoints)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return errors.New("callback: the endpoint keeps changing")
}
