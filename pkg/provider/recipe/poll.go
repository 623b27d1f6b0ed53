package recipe

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/expr-lang/expr/types"

	"github.com/opennotify/notify/pkg/provider"
)

// poll asks what became of messages.
type poll struct {
	*probe
	cursor, more *program
	receipts     *receipts
	replies      *replies
}

// What expressions in polls may name besides: where the last answer ended, and the message that is asked about.
const (
	cursorName = "cursor"
	askedName  = "asked"
)

func (c *compiler) polls(s spec) []poll {
	d := c.descriptor.Polls
	if (d != nil) != (len(s.Polls) > 0) {
		c.fault(c.said.Line("polls"), "polls", "the descriptor says how often, the second document what is asked: both are needed, or neither")
		return nil
	}
	out := make([]poll, len(s.Polls))
	for i, p := range s.Polls {
		path, line := "polls", c.does.Line("polls", i)
		ask, heard := with(c.own(), cursorName, types.String), with(c.heard(), cursorName, types.String)
		if d.Of == provider.OfMessage {
			asked := scope{"id": types.String, "ref": types.String, "provider_id": types.String, "to": types.String, "at": types.Int}
			ask, heard = with(c.own(), askedName, asked), with(c.heard(), askedName, asked)
		}
		out[i] = poll{probe: c.probe(p.Request, p.Answer, s.Token != nil, ask, path),
			cursor: c.expression(p.Cursor, heard, path+".cursor"), more: c.expression(p.More, heard, path+".more")}
		if len(p.Answer.Table) == 0 {
			c.fault(line, path+".answer.table", "is missing: nothing would ever count as an answer")
		}
		heard = with(heard, event, types.Any)
		if p.Receipts != nil {
			out[i].receipts = c.receipts(*p.Receipts, heard, path+".receipts")
			out[i].receipts.asked = d.Of == provider.OfMessage
		}
		if p.Replies != nil {
			out[i].replies = c.replies(*p.Replies, heard, path+".replies")
		}
		c.polled(p, d.Of, len(s.Polls), line)
	}
	return out
}

// polled checks what polls of an account and of a message must have.
func (c *compiler) polled(p pollSpec, of string, polls, line int) {
	switch {
	case of == provider.OfMessage && (polls > 1 || p.Receipts == nil || p.Replies != nil || !p.Cursor.empty() || !p.More.empty()):
		c.fault(line, "polls", "of a message there is one question, with receipts, and without replies, cursor and more")
	case of != provider.OfMessage && p.Receipts == nil && p.Replies == nil:
		c.fault(line, "polls", "there are neither receipts nor replies to read")
	case of != provider.OfMessage && p.Receipts != nil:
		c.naming(*p.Receipts, "polls.receipts")
	}
}

// Poll is a provider.Poller's, for recipes whose descriptor says polls. Every poll of the recipe is asked once;
// the cursor holds those of all.
func (s *sender) Poll(ctx context.Context, q provider.Question) (provider.News, error) {
	var out provider.News
	var errs []error
	cursors := make([]string, len(s.recipe.polls))
	if json.Unmarshal([]byte(q.Cursor), &cursors) != nil || len(cursors) != len(s.recipe.polls) { // none yet, or another version's
		cursors = make([]string, len(s.recipe.polls))
	}
	for i, p := range s.recipe.polls {
		env := s.own()
		env[cursorName] = cursors[i]
		env[askedName] = map[string]any{"id": string(q.ID), "ref": ref(q.ID, q.Epoch), "provider_id": q.ProviderID, "to": string(q.To), "at": int(q.At)}
		if err := s.probe(ctx, p.probe, env); err != nil {
			errs = append(errs, errors.New(provider.Clean(err.Error(), s.account, q.To)))
			continue
		}
		receipts, replies := s.told(p.receipts, p.replies, env["json"], env)
		out.Receipts, out.Replies = append(out.Receipts, receipts...), append(out.Replies, replies...)
		if at := word(p.cursor, env); at != "" {
			cursors[i] = at
		}
		out.More = out.More || p.more != nil && truth(p.more, env)
	}
	if slices.ContainsFunc(cursors, func(c string) bool { return c != "" }) {
		text, err := encodeJSON(cursors)
		if err != nil || len(text) > maxCursor {
			text, errs = q.Cursor, append(errs, errors.New("the provider's cursor is too long"))
		}
		out.Cursor = text
	}
	return out, errors.Join(errs...)
}

// maxCursor bounds what a provider may have us keep, in bytes.
const maxCursor = 4 << 10
