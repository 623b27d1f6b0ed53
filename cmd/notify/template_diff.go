package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func templateDiffCommand(s *session) *cobra.Command {
	var tenant string
	c := &cobra.Command{
		Use:   "diff DIR|FILE",
		Short: "Compare template files with the newest versions; exit 1 if something differs",
		Long: `Compare template files with the newest versions that the service has: - is the service's line, + the file's. It
exits with 1 if something differs.`,
		Example: `  notify template diff templates/
  notify template diff templates/shop/login-code.yaml --json`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := readTemplates(args[0], tenant)
			if err != nil {
				return err
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			changes := []*change{}
			differs := false
			for _, f := range files {
				ch, err := compare(cmd.Context(), c, f)
				if err != nil {
					return err
				}
				differs = differs || ch.differs()
				changes = append(changes, ch)
				s.showDiff(ch)
			}
			if s.json {
				if err := s.data(changes); err != nil {
					return err
				}
			}
			if differs {
				return exit(exitError)
			}
			s.tell("no differences\n")
			return nil
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "of files that name none")
	return c
}

// change is what a file would change, or has changed.
type change struct {
	Tenant    string   `json:"tenant"`
	Name      string   `json:"name"`
	File      string   `json:"file"`
	Action    string   `json:"action"`             // new, changed, unchanged; after a push: drafted, published
	Version   int      `json:"version"`            // the service's newest; 0 for none
	Published int      `json:"published,omitzero"` // that is sent; 0 for none
	Diff      []string `json:"diff,omitzero"`
	Warnings  []string `json:"warnings,omitzero"`

	file *templateFile
}

func (c *change) title() string { return c.Tenant + "/" + c.Name }

func (c *change) differs() bool { return c.Action == "new" || c.Action == "changed" }

// compare reads the newest version of a file's template.
func compare(ctx context.Context, c *client.Client, f *templateFile) (*change, error) {
	ch := &change{Tenant: f.Tenant, Name: f.Name, File: f.path, file: f, Action: "new"}
	theirs := ""
	head, err := c.Template(ctx, f.Tenant, f.Name)
	switch {
	case err == nil:
		ch.Version, ch.Published, ch.Action = head.Version, head.Published, "changed"
		v, err := c.TemplateVersion(ctx, f.Tenant, f.Name, head.Version)
		if err != nil {
			return nil, &about{f.path, err}
		}
		if theirs, err = fileOf(v).text(); err != nil {
			return nil, &about{f.path, err}
		}
	case codeOf(err) != client.CodeNotFound:
		return nil, &about{f.path, err}
	}
	ours, err := f.text()
	if err != nil {
		return nil, &about{f.path, err}
	}
	if ours == theirs {
		ch.Action = "unchanged"
	} else {
		ch.Diff = shortened(lineDiff(lines(theirs), lines(ours)))
	}
	return ch, nil
}

func (s *session) showDiff(ch *change) {
	if !ch.differs() {
		return
	}
	s.say("%s  %s\n", s.paint(bold, ch.title()), map[bool]string{true: "new", false: number("newest is v", ch.Version)}[ch.Version == 0])
	for _, line := range ch.Diff {
		code := map[byte]string{'-': red, '+': green, '.': faint}[line[0]]
		if code == "" {
			s.say("  %s\n", line)
		} else {
			s.say("  %s\n", s.paint(code, line))
		}
	}
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// contextLines is how many equal lines stand around a difference.
const contextLines = 2

// lineDiff is the shortest way from a to b: lines begin with "- ", "+ " or two spaces.
func lineDiff(a, b []string) []string {
	// longest[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	longest := make([][]int, len(a)+1)
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var out []string
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, "  "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && longest[i+1][j] >= longest[i][j+1]:
			out = append(out, "- "+a[i])
			i++
		default:
			out = append(out, "+ "+b[j])
			j++
		}
	}
	return out
}

// shortened leaves out equal lines that are far from a difference; ".." stands for them.
func shortened(diff []string) (out []string) {
	near := make([]bool, len(diff))
	for i, line := range diff {
		if line[0] != ' ' {
			for k := max(0, i-contextLines); k <= min(len(diff)-1, i+contextLines); k++ {
				near[k] = true
			}
		}
	}
	for i, line := range diff {
		switch {
		case near[i]:
			out = append(out, line)
		case i == 0 || near[i-1]:
			out = append(out, "..")
		}
	}
	return out
}
