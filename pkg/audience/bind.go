package audience

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	strict "github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/template"
)

// Columns says what the columns of a CSV file are. What is left out is found by its name.
type Columns struct {
	To      string `json:"to,omitzero"`
	Channel string `json:"channel,omitzero"`
	Locale  string `json:"locale,omitzero"`
	// Vars are the columns of the template's variables.
	Vars map[string]string `json:"vars,omitzero"`
}

// Recipient is what a row says.
type Recipient struct {
	To      string          `json:"to"`
	Channel message.Channel `json:"channel,omitzero"`
	Locale  string          `json:"locale,omitzero"`
	Vars    Vars            `json:"vars,omitzero"`
}

// The names by which columns are known without being told.
var (
	toNames      = []string{"to", "recipient", "phone", "mobile", "email", "mail", "address", "手机号", "手机号码", "手机", "电话", "邮箱", "收件人"}
	channelNames = []string{"channel", "渠道"}
	localeNames  = []string{"locale", "language", "语言"}
)

// Binding reads rows of one file for one template.
type Binding struct {
	format              Format
	names               []string
	to, channel, locale int
	vars                map[string]int
	types               map[string]string
	// Unused are columns that nothing reads.
	Unused []string
}

// Bind finds the columns that a template needs. What cannot be found is reported by its place in Columns.
func Bind(f Format, names []string, c Columns, variables []template.Variable) (*Binding, []problem.Field) {
	b := &Binding{format: f, names: names, to: -1, channel: -1, locale: -1, vars: map[string]int{}, types: map[string]string{}}
	for _, v := range variables {
		b.types[v.Name] = v.Type
	}
	if f == JSONL {
		return b, nil
	}
	var faults []problem.Field
	find := func(pointer, name string, known ...string) int {
		if name == "" {
			return slices.IndexFunc(names, func(n string) bool { return slices.Contains(known, strings.ToLower(n)) })
		}
		i := slices.Index(names, name)
		if i < 0 {
			faults = append(faults, problem.At(pointer, problem.BadValue, "the file has no such column; it has %s", list(names)))
		}
		return i
	}
	b.to, b.channel, b.locale = find("/to", c.To, toNames...), find("/channel", c.Channel, channelNames...), find("/locale", c.Locale, localeNames...)
	if b.to < 0 && c.To == "" {
		faults = append(faults, problem.At("/to", problem.Required, "name the column with the recipients' addresses; the file has %s", list(names)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Vars)) {
		if _, ok := b.types[name]; !ok {
			faults = append(faults, problem.At("/vars/"+name, problem.UnknownVariable, "the template has no such variable"))
		}
	}
	for _, v := range variables {
		i := slices.Index(names, v.Name)
		if column, told := c.Vars[v.Name]; told {
			i = find("/vars/"+v.Name, column)
		}
		if i >= 0 {
			b.vars[v.Name] = i
		}
	}
	used := slices.Collect(maps.Values(b.vars))
	for i, name := range names {
		if name != "" && i != b.to && i != b.channel && i != b.locale && !slices.Contains(used, i) {
			b.Unused = append(b.Unused, name)
		}
	}
	return b, faults
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Column is where a variable, or "to", "channel", "locale", stands in the file, for a fault that was found
// in what was made of it.
func (b *Binding) Column(what string) string {
	i, ok := b.vars[what]
	switch what {
	case "to":
		i, ok = b.to, b.to >= 0
	case "channel":
		i, ok = b.channel, b.channel >= 0
	case "locale":
		i, ok = b.locale, b.locale >= 0
	}
	if b.format == JSONL || !ok {
		return what
	}
	return b.names[i]
}

// Read makes a recipient of a row that has no faults of form.
func (b *Binding) Read(row Row) (Recipient, []Fault) {
	if b.format == JSONL {
		return readLine(row.Line)
	}
	cell := func(i int) string {
		if i < 0 {
			return ""
		}
		return strings.TrimSpace(row.Cells[i])
	}
	out := Recipient{To: cell(b.to), Channel: message.Channel(cell(b.channel)), Locale: cell(b.locale)}
	var faults []Fault
	if out.To == "" {
		faults = append(faults, Fault{b.Column("to"), problem.Required, "the recipient's address is missing"})
	}
	for name, i := range b.vars {
		text := row.Cells[i]
		if strings.TrimSpace(text) == "" {
			continue // whether it is needed is the template's to say
		}
		v, why := value(b.types[name], text)
		if why != "" {
			faults = append(faults, Fault{b.Column(name), problem.BadType, why})
			continue
		}
		if out.Vars == nil {
			out.Vars = map[string]any{}
		}
		out.Vars[name] = v
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Column, b.Column) })
	return out, faults
}

// value reads a cell as a variable's type.
func value(kind, text string) (any, string) {
	switch kind {
	case "number":
		n := json.Number(strings.TrimSpace(text))
		if !json.Valid([]byte(n)) || strings.Trim(string(n[:1]), "-0123456789") != "" {
			return nil, "must be a number, as 1234.50: without separators of thousands and without a unit"
		}
		return n, ""
	case "boolean":
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true":
			return true, ""
		case "false":
			return false, ""
		}
		return nil, "must be true or false"
	case "list":
		return nil, "a list does not fit into a cell; send JSON lines"
	}
	return text, ""
}

// readLine reads an object with exactly the fields of a Recipient.
func readLine(line []byte) (Recipient, []Fault) {
	var out Recipient
	if err := strict.Unmarshal(line, &out, strict.RejectUnknownMembers(true)); err != nil {
		return Recipient{}, []Fault{{Code: problem.BadJSON, Detail: lineFault(err)}}
	}
	if out.To = strings.TrimSpace(out.To); out.To == "" {
		return out, []Fault{{"to", problem.Required, "the recipient's address is missing"}}
	}
	return out, nil
}

// lineFault names the field and nothing that is in it.
func lineFault(err error) string {
	var e *strict.SemanticError
	if errors.As(err, &e) && slices.Contains([]string{"to", "channel", "locale", "vars"}, e.JSONPointer.LastToken()) {
		if e.JSONPointer.LastToken() == "vars" {
			return "vars is an object"
		}
		return e.JSONPointer.LastToken() + " is a text"
	}
	return "the line is not one JSON object with to, and optionally channel, locale and vars"
}
