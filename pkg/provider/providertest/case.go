package providertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/textproto"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// unconfirmed marks a case that no vendor's page backs.
const unconfirmed = "UNCONFIRMED"

// testCase is one file.
type testCase struct {
	name      string
	confirmed bool
	unheard   bool // of a code that no vendor has: unknown*, or "made up" in the comment
	account   provider.Account
	call      provider.Call
	now       time.Time
	nonce     string
	exchanges []exchange
	want      *wantOutcome
	callback  *exchange // request only
	receipts  *wantCallback
	approval  *wantApproval
	question  *provider.Question
}

// exchange is one request and the answer to it.
type exchange struct {
	method, url string
	header      http.Header
	body        []byte

	status       int
	answerHeader http.Header
	answer       []byte
}

type wantOutcome struct {
	Outcome    string  `json:"outcome"`
	Code       string  `json:"code"`
	ProviderID string  `json:"provider_id"`
	Status     int     `json:"status"`
	After      string  `json:"after"` // as time.ParseDuration reads it
	Text       *string `json:"text"`
}

type wantApproval struct {
	State   string `json:"state"`
	Note    string `json:"note"`
	Refused string `json:"refused"` // the error's text
}

type wantCallback struct {
	Receipts []wantReceipt `json:"receipts"`
	Replies  []wantReply   `json:"replies"`
	Status   int           `json:"status"`
	Refused  bool          `json:"refused"`
	Cursor   string        `json:"cursor"` // these two of a poll
	More     bool          `json:"more"`
}

type wantReceipt struct {
	ID         message.ID   `json:"id"`
	Epoch      int          `json:"epoch"`
	ProviderID string       `json:"provider_id"`
	Part       int          `json:"part"`
	State      string       `json:"state"`
	At         message.Time `json:"at"`
	Code       string       `json:"code"`
	Text       string       `json:"text"`
}

type wantReply struct {
	From    string          `json:"from"`
	Channel message.Channel `json:"channel"`
	Text    string          `json:"text"`
	At      message.Time    `json:"at"`
}

// load reads all cases of a provider.
func load(fsys fs.FS) ([]*testCase, error) {
	names, err := fs.Glob(fsys, "cases/*.txtar")
	if err != nil {
		return nil, err
	}
	shared := map[string][]byte{}
	for _, name := range []string{"account.json", "call.json"} {
		if data, err := fs.ReadFile(fsys, "cases/"+name); err == nil {
			shared[name] = data
		}
	}
	var out []*testCase
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		c, err := parse(txtar.Parse(data), shared)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.name = strings.TrimSuffix(path.Base(name), ".txtar")
		c.unheard = c.unheard || strings.HasPrefix(c.name, "unknown")
		out = append(out, c)
	}
	return out, nil
}

func parse(a *txtar.Archive, shared map[string][]byte) (*testCase, error) {
	c := &testCase{now: Now(), nonce: Nonce, unheard: strings.Contains(string(a.Comment), "made up")}
	var err error
	if c.confirmed, err = backed(a); err != nil {
		return nil, err
	}
	sections := a.Files
	for name, data := range shared {
		sections = append([]txtar.File{{Name: name, Data: data}}, sections...)
	}
	for _, f := range sections {
		if err := c.section(f.Name, bytes.TrimSuffix(f.Data, []byte("\n"))); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	wants := 0
	for _, has := range []bool{c.want != nil, c.receipts != nil, c.approval != nil} {
		if has {
			wants++
		}
	}
	if wants != 1 {
		return nil, fmt.Errorf("a case has one of outcome.json, receipts.json, approval.json")
	}
	if (c.receipts != nil) != (c.callback != nil || c.question != nil) || c.callback != nil && c.question != nil {
		return nil, fmt.Errorf("receipts.json needs callback.http, or poll.json")
	}
	for i, x := range c.exchanges {
		if x.method == "" || x.status == 0 {
			return nil, fmt.Errorf("exchange %d lacks request.http or response.http", i+1)
		}
	}
	return c, nil
}

func (c *testCase) section(name string, data []byte) error {
	switch name {
	case "account.json":
		var a struct {
			Name    string                    `json:"name"`
			Channel message.Channel           `json:"channel"`
			Config  map[string]string         `json:"config"`
			Secrets map[string]message.Secret `json:"secrets"`
		}
		err := strict(data, &a)
		c.account = provider.Account{Name: a.Name, Channel: a.Channel, Config: a.Config, Secrets: a.Secrets}
		return err
	case "call.json":
		c.call = provider.Call{}
		return strict(data, &c.call)
	case "env.json":
		var e struct{ Now, Nonce string }
		err := strict(data, &e)
		if e.Now != "" {
			if c.now = at(e.Now); c.now.IsZero() {
				return fmt.Errorf("now is not RFC 3339")
			}
		}
		if e.Nonce != "" {
			c.nonce = e.Nonce
		}
		return err
	case "request.http":
		x, err := readRequest(data)
		c.exchanges = append(c.exchanges, x)
		return err
	case "response.http":
		if len(c.exchanges) == 0 || c.exchanges[len(c.exchanges)-1].status != 0 {
			return fmt.Errorf("has no request.http in front of it")
		}
		return c.exchanges[len(c.exchanges)-1].readResponse(data)
	case "outcome.json":
		c.want = &wantOutcome{}
		return strict(data, c.want)
	case "callback.http":
		x, err := readRequest(data)
		c.callback = &x
		return err
	case "poll.json":
		c.question = &provider.Question{}
		return strict(data, c.question)
	case "receipts.json":
		c.receipts = &wantCallback{}
		return strict(data, c.receipts)
	case "approval.json":
		c.approval = &wantApproval{}
		return strict(data, c.approval)
	}
	return fmt.Errorf("is no section of a case")
}

func strict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

func readRequest(data []byte) (x exchange, err error) {
	line, header, body, err := readHTTP(data)
	if err != nil {
		return x, err
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		return x, fmt.Errorf("first line %q is not METHOD URL", line)
	}
	return exchange{method: words[0], url: words[1], header: header, body: body}, nil
}

func (x *exchange) readResponse(data []byte) error {
	line, header, body, err := readHTTP(data)
	if err != nil {
		return err
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		return fmt.Errorf("first line %q is not HTTP/1.1 STATUS", line)
	}
	x.status, err = strconv.Atoi(words[1])
	x.answerHeader, x.answer = header, body
	return err
}

// readHTTP splits a message; the length is that of the section, whatever Content-Length says.
func readHTTP(data []byte) (line string, header http.Header, body []byte, err error) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(data, "\n"...))))
	if line, err = r.ReadLine(); err != nil {
		return "", nil, nil, err
	}
	mime, err := r.ReadMIMEHeader()
	if err != nil && err != io.EOF {
		return "", nil, nil, err
	}
	body, err = io.ReadAll(r.R)
	return line, http.Header(mime), bytes.TrimSuffix(body, []byte("\n")), err
}
