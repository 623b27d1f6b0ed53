package receipt

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/queue"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
)

const (
	// pollFor bounds one question, well within what a function may take.
	pollFor = 15 * time.Second
	// spread is how long after a call its account may still be unknown here: other processes learn of it within
	// config.MaxAge, and clocks differ.
	spread = 5 * time.Minute
	// restMost is the longest rest of an account whose questions fail.
	restMost = time.Hour
)

// poll asks an account's provider what is new, if it is time: what it says goes into the queue like what it
// would have posted. Some vendors say everything once, so what was heard is kept before anything else is done,
// and what the queue refuses is worked on at once.
func (s *Receipts) poll(ctx context.Context, account string) error {
	a, ok, err := s.Config.Account(ctx, account)
	if err != nil || !ok {
		return err
	}
	sender, desc, unopened := s.Senders.Open(ctx, a) // the descriptor is there without the vault too
	if !desc.Asks(provider.OfAccount, a.Config) {
		return nil
	}
	now, every := message.At(s.Now()), time.Duration(desc.Polls.Every)*time.Second
	pace, mine, err := s.Store.TakePace(ctx, s.as, now, account, every)
	if err != nil || !mine {
		return err
	}
	news, fault := provider.News{Cursor: pace.Cursor}, unopened
	if fault == nil {
		news, fault = s.ask(ctx, a, sender, provider.Question{Cursor: pace.Cursor})
	}
	if lost := s.keep(ctx, account, desc, news); lost != nil { // a vendor with a cursor says it again
		news.Cursor, fault = pace.Cursor, errors.Join(fault, lost)
	}
	was := pace
	pace.Cursor, pace.Failures = news.Cursor, 0
	switch {
	case fault != nil:
		s.Log.ErrorContext(ctx, "a provider was asked in vain", "account", account, "error", fault)
		s.Metrics.Count(telemetry.ReceiptPollFailed, 1, telemetry.Labels{Channel: string(a.Channel)})
		pace.Failures = was.Failures + 1
		pace.Next = now.Add(max(every, min(every<<min(pace.Failures, 10), restMost)))
	case news.More:
		pace.Next = now
	}
	if pace == was {
		return nil
	}
	kept, err := s.Store.PutPace(ctx, s.as, now, pace)
	if err == nil && kept && pace.Next <= now {
		var next queue.Item
		if next, err = encode(entry{Poll: account}); err == nil {
			err = s.Queue.Send(ctx, queue.Receipts, next)
		}
	}
	if err != nil { // the sweep comes by again; a page that is asked for twice does no harm
		s.Log.WarnContext(ctx, "the next question waits for the sweep", "account", account, "error", err)
	}
	return nil
}

// keep puts what was heard into the queue, or works on it at once where the queue refuses it. The error says that neither
// was done for all of it.
func (s *Receipts) keep(ctx context.Context, account string, desc provider.Descriptor, news provider.News) error {
	items, unmade := s.items(ctx, account, desc, news.Receipts, news.Replies)
	if len(items) == 0 {
		return unmade
	}
	err := s.Queue.Send(ctx, queue.Receipts, items...)
	if err == nil {
		return unmade
	}
	s.Log.WarnContext(ctx, "what was asked for is not queued; it is worked on now", "account", account, "error", err)
	if again := s.Handle(ctx, items); len(again) == 0 {
		return unmade
	}
	return errors.Join(err, unmade)
}

// ask makes one question.
func (s *Receipts) ask(ctx context.Context, a config.Account, sender provider.Sender, q provider.Question) (provider.News, error) {
	poller, ok := sender.(provider.Poller)
	if !ok {
		return provider.News{Cursor: q.Cursor}, errors.New("the provider cannot be asked")
	}
	s.Metrics.Count(telemetry.ReceiptPolled, 1, telemetry.Labels{Channel: string(a.Channel)})
	ctx, cancel := context.WithTimeout(ctx, pollFor)
	defer cancel()
	return poller.Poll(ctx, q)
}

// question asks a provider about the one message behind its id, until it says how that ended. An answer can be
// about no other message.
func (s *Receipts) question(ctx context.Context, k store.Known) error {
	now := message.At(s.Now())
	r, err := s.Store.Message(ctx, s.as, k.ID)
	if errors.Is(err, store.ErrNotFound) {
		return s.Store.Answered(ctx, s.as, now, k)
	}
	if err != nil {
		return err
	}
	ctx = telemetry.InTrace(ctx, telemetry.ParseTrace(r.Trace))
	at := r.Attempt(k.Epoch)
	if at == nil || settled(at.Receipt()) {
		return s.Store.Answered(ctx, s.as, now, k)
	}
	a, ok, err := s.Config.Account(ctx, at.Account)
	if err != nil {
		return err
	}
	sender, desc, err := s.Senders.Open(ctx, a)
	switch nobody := !ok || err == nil && !desc.Asks(provider.OfMessage, a.Config); {
	case nobody && now.Sub(at.At) < spread: // the next question comes by itself
		return nil
	case nobody:
		return s.Store.Answered(ctx, s.as, now, k)
	}
	var news provider.News
	if err == nil {
		q := provider.Question{ID: k.ID, Epoch: k.Epoch, ProviderID: at.ProviderID, At: at.At}
		if q.To, err = s.Store.Address(ctx, r); err == nil || errors.Is(err, store.ErrErased) {
			news, err = s.ask(ctx, a, sender, q)
		}
	}
	if err != nil { // the next question comes by itself
		s.Log.WarnContext(ctx, "a provider was asked in vain", "account", a.Name, "message", k.ID, "error", err)
		s.Metrics.Count(telemetry.ReceiptPollFailed, 1, telemetry.Labels{Channel: string(a.Channel)})
	}
	said := make([]message.Reported, len(news.Receipts))
	for i, rc := range news.Receipts {
		rc.Epoch, rc.ProviderID = k.Epoch, at.ProviderID
		said[i] = s.reported(suppressed(rc, desc))
	}
	if err := s.join(ctx, via{account: a.Name}, k.ID, said...); err != nil || len(said) == 0 {
		return err
	}
	if slices.ContainsFunc(said, func(e message.Reported) bool { return settled(e.Receipt.State) }) {
		return s.Store.Answered(ctx, s.as, now, k)
	}
	return nil
}

// settled tells whether a receipt says how it ended.
func settled(r message.ReceiptState) bool {
	return r != message.ReceiptNone && r != message.ReceiptSent
}
