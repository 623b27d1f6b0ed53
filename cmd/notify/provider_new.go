package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// scaffold is a whole recipe with its cases, for a vendor that takes JSON; $NAME stands for its name.
//
//go:embed scaffold
var scaffold embed.FS

var recipeName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

func providerNewCommand(s *session) *cobra.Command {
	folder := ""
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a provider: a folder with a recipe and its cases, to be filled in",
		Long: `Begin a provider: a folder with a recipe that is whole, for a vendor that takes JSON with a bearer token, and the
cases that each recipe has. Change what the vendor does otherwise; docs/add-a-provider.md says what each part is
for. Nothing is overwritten.`,
		Example: `  notify provider new acme-sms
  notify provider new acme-sms --folder recipes/acme-sms`,
		Args: takes(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := args[0]
			if !recipeName.MatchString(name) {
				return fmt.Errorf("%q is no name of a provider: 1 to 40 lower-case letters, digits and -, the first a letter", name)
			}
			if folder == "" {
				folder = name
			}
			if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s is there already; name another folder with --folder", folder)
			}
			made, err := begin(name, folder)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(made)
			}
			for _, f := range made {
				s.say("%s\n", f)
			}
			s.tell("next: change %s, then notify provider push %s\n", filepath.Join(folder, "recipe.yaml"), folder)
			return nil
		},
	}
	c.Flags().StringVar(&folder, "folder", "", "where; a folder of the provider's name without it")
	return c
}

// begin writes the scaffold and gives its files.
func begin(name, folder string) (made []string, err error) {
	err = fs.WalkDir(scaffold, "scaffold", func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := scaffold.ReadFile(at)
		if err != nil {
			return err
		}
		to := filepath.Join(folder, filepath.FromSlash(strings.TrimPrefix(at, "scaffold/")))
		made = append(made, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, []byte(strings.ReplaceAll(string(text), "$NAME", name)), 0o644)
	})
	return made, err
}
