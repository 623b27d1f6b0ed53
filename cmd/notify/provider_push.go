package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/client"
)

// pushedRecipe is what came of a push.
type pushedRecipe struct {
	Name    string `json:"name"`
	Action  string `json:"action"` // uploaded, unchanged
	Version int64  `json:"version"`
}

func providerPushCommand(s *session) *cobra.Command {
	reason := ""
	c := &cobra.Command{
		Use:   "push FOLDER",
		Short: "Upload a recipe: in 30 seconds all of the service knows the provider, without a deploy",
		Long: `Upload a recipe: recipe.yaml of a folder, or a file. It is checked like those that come with notify; each fault
is said with its line, all at once. Its name stands in it. A version that existing accounts would not fit is
refused.`,
		Example: `  notify provider push acme-sms --reason "a channel for parcels"
  notify provider push acme-sms/recipe.yaml --json`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, name, text, err := readRecipe(args[0])
			if err != nil {
				return err
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			done, err := pushRecipe(cmd.Context(), c, name, text, reason)
			if err != nil {
				return s.faults(file, err)
			}
			if s.json {
				return s.data(done)
			}
			s.say("%s: %s, v%d\n", done.Name, done.Action, done.Version)
			if done.Action == "uploaded" {
				s.tell("next: make an account of it, then notify provider try ACCOUNT\n")
			}
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return c
}

// readRecipe reads a recipe's file, or that of a folder.
func readRecipe(path string) (file, name, text string, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "recipe.yaml")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return path, "", "", err
	}
	var named struct {
		Name string `yaml:"name"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&named); err != nil {
		return path, "", "", fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if !recipeName.MatchString(named.Name) {
		return path, "", "", fmt.Errorf("%s: name must be 1 to 40 lower-case letters, digits and -, the first a letter", path)
	}
	return path, named.Name, string(data), nil
}

// pushRecipe uploads a text that differs from what is there.
func pushRecipe(ctx context.Context, c *client.Client, name, text, reason string) (pushedRecipe, error) {
	have, err := c.Recipe(ctx, name)
	var refused *client.Error
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
		have = &client.Recipe{}
	case err != nil:
		return pushedRecipe{}, err
	case have.Recipe == text:
		return pushedRecipe{name, "unchanged", have.Version}, nil
	}
	kept, err := c.PutRecipe(ctx, name, client.PutRecipeRequest{Recipe: text, Version: have.Version, Reason: reason})
	if err != nil {
		return pushedRecipe{}, err
	}
	return pushedRecipe{name, "uploaded", kept.Version}, nil
}

// faults says each fault of a file with its line, as compilers do.
func (s *session) faults(file string, err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) {
		return err
	}
	lines := 0
	for _, f := range refused.Errors {
		if line, ok := strings.CutPrefix(f.Pointer, "line:"); ok {
			s.tell("%s:%s: %s\n", file, line, f.Detail)
			lines++
		}
	}
	if lines == 0 {
		return &about{file, err}
	}
	return fmt.Errorf("faults in the recipe: %d; nothing was changed", lines)
}
