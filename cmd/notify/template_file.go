package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/client"
)

// templateFile is a template in a file: the API's shape, with its tenant and name.
type templateFile struct {
	Tenant       string         `yaml:"tenant,omitempty" json:"tenant,omitzero"`
	Name         string         `yaml:"name" json:"name"`
	Class        client.Class   `yaml:"class" json:"class"`
	DedupExclude []string       `yaml:"dedup_exclude,omitempty" json:"dedup_exclude,omitzero"`
	Variables    []variableFile `yaml:"variables,omitempty" json:"variables,omitzero"`
	Variants     []variantFile  `yaml:"variants" json:"variants"`

	path string
}

type variableFile struct {
	Name      string `yaml:"name" json:"name"`
	Type      string `yaml:"type,omitempty" json:"type,omitzero"`
	MaxLength int    `yaml:"max_length,omitempty" json:"max_length,omitzero"`
	Pattern   string `yaml:"pattern,omitempty" json:"pattern,omitzero"`
	Optional  bool   `yaml:"optional,omitempty" json:"optional,omitzero"`
	Secret    bool   `yaml:"secret,omitempty" json:"secret,omitzero"`
	Example   string `yaml:"example,omitempty" json:"example,omitzero"`
}

type variantFile struct {
	Channel client.Channel `yaml:"channel" json:"channel"`
	Locale  string         `yaml:"locale" json:"locale"`
	Subject string         `yaml:"subject,omitempty" json:"subject,omitzero"`
	Title   string         `yaml:"title,omitempty" json:"title,omitzero"`
	Text    string         `yaml:"text,omitempty" json:"text,omitzero"`
	HTML    string         `yaml:"html,omitempty" json:"html,omitzero"`
	Data    string         `yaml:"data,omitempty" json:"data,omitzero"`
}

func (t *templateFile) title() string { return t.Tenant + "/" + t.Name }

// content is what the API takes.
func (t *templateFile) content() client.TemplateContent {
	out := client.TemplateContent{Class: t.Class, DedupExclude: t.DedupExclude, Variants: []client.TemplateVariant{}}
	for _, v := range t.Variables {
		out.Variables = append(out.Variables, client.TemplateVariable(v))
	}
	for _, v := range t.Variants {
		out.Variants = append(out.Variants, client.TemplateVariant(v))
	}
	return out
}

// fileOf is what the API gives.
func fileOf(v *client.TemplateVersion) *templateFile {
	out := &templateFile{Tenant: v.Tenant, Name: v.Name, Class: v.Class, DedupExclude: v.DedupExclude}
	for _, x := range v.Variables {
		out.Variables = append(out.Variables, variableFile(x))
	}
	for _, x := range v.Variants {
		out.Variants = append(out.Variants, variantFile(x))
	}
	return out
}

// text is the template as a YAML file; equal templates have equal texts.
func (t *templateFile) text() (string, error) {
	same := *t
	same.Variables = slices.Clone(t.Variables)
	for i := range same.Variables {
		if same.Variables[i].Type == "" {
			same.Variables[i].Type = "string"
		}
	}
	text, err := json.Marshal(&same)
	if err != nil {
		return "", err
	}
	// JSON is YAML in another style. Members keep their order.
	var tree yaml.Node
	if err := yaml.Unmarshal([]byte(escaped(string(text))), &tree); err != nil {
		return "", err
	}
	restyle(&tree)
	var b strings.Builder
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(&tree), e.Close()); err != nil {
		return "", err
	}
	return b.String(), nil
}

// escaped writes what YAML would take for line ends, or refuse, as JSON's escapes.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r > 0x7e && r <= 0xffff && !unicode.IsPrint(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// restyle lets the library choose how to write, but where it writes a block that it cannot read again: a
// text with white space that the block's indentation hides, or with characters that are no text.
func restyle(n *yaml.Node) {
	n.Style = 0
	if n.Tag == "!!str" && (strings.HasPrefix(n.Value, " ") || strings.HasPrefix(n.Value, "\n") ||
		strings.ContainsFunc(n.Value, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })) {
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, c := range n.Content {
		restyle(c)
	}
}

func isTemplate(path string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path))
}

// readTemplates reads one file, or all of a folder. The tenant is for those that name none.
func readTemplates(path, tenant string) ([]*templateFile, error) {
	var out []*templateFile
	var faults []error
	seen := map[string]string{}
	err := filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && at != path && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir(), at != path && !isTemplate(at):
			return nil
		}
		t, err := readTemplate(at, tenant)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", at, err))
			return nil
		}
		if other := seen[t.title()]; other != "" {
			faults = append(faults, fmt.Errorf("%s: template %s is in %s too", at, t.title(), other))
		}
		seen[t.title()] = at
		out = append(out, t)
		return nil
	})
	if err = errors.Join(append(faults, err)...); err != nil {
		return nil, err
	}
	return out, nil
}

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func readTemplate(path, tenant string) (*templateFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &templateFile{path: path}
	if err := t.parse(text); err != nil {
		return nil, err
	}
	if t.Name == "" {
		t.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	if t.Tenant == "" {
		t.Tenant = tenant
	}
	if t.Tenant == "" {
		return nil, errors.New("it names no tenant; add tenant: to the file, or use --tenant")
	}
	if !plainName.MatchString(t.Tenant) || !plainName.MatchString(t.Name) {
		return nil, errors.New("tenant and name may have lower-case letters, digits, - and _")
	}
	return t, nil
}

// parse reads the file's format strictly: a misspelt field is a fault.
func (t *templateFile) parse(text []byte) error {
	if !utf8.Valid(text) {
		return errNotUTF8
	}
	if filepath.Ext(t.path) == ".json" {
		return decode(text, t, (*json.Decoder).DisallowUnknownFields)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(t); errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	} else if err != nil {
		return errors.New(strings.NewReplacer("yaml: ", "", "unmarshal errors:\n  ", "", "\n  ", "; ", " in type main.templateFile", "",
			" in type main.variableFile", " in a variable", " in type main.variantFile", " in a variant").Replace(err.Error()))
	}
	if !errors.Is(d.Decode(&yaml.Node{}), io.EOF) {
		return errors.New("it has more than one document; keep one template in a file")
	}
	return nil
}

// write keeps the template in its file, in the file's format.
func (t *templateFile) write() error {
	text, err := t.text()
	if filepath.Ext(t.path) == ".json" {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(t)
		text = b.String()
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(t.path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(t.path, []byte(text), 0o644)
}
