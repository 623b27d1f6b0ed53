package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func templatePullCommand(s *session) *cobra.Command {
	var tenant string
	var dryRun, force bool
	c := &cobra.Command{
		Use:   "pull DIR",
		Short: "Write the newest versions of the templates into files",
		Long: `Write the newest versions of the templates into files: the file that has the template already, else
DIR/<tenant>/<name>.yaml. Files that say the same stay as they are, with their comments, and so do those that were
edited: what they say no version does, so it would be lost; --force writes over them. No file is deleted.`,
		Example: `  notify template pull templates/
  notify template pull templates/ --tenant shop --dry-run`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.pull(cmd.Context(), args[0], tenant, dryRun, force)
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant's; also that of files that name none")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "write nothing")
	c.Flags().BoolVar(&force, "force", false, "write over files that were edited, too")
	return c
}

func (s *session) pull(ctx context.Context, dir, tenant string, dryRun, force bool) error {
	here := map[string]*templateFile{}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		files, err := readTemplates(dir, tenant)
		if err != nil {
			return err
		}
		for _, f := range files {
			here[f.title()] = f
		}
	}
	c, err := s.connect()
	if err != nil {
		return err
	}
	all, err := c.Templates(ctx, tenant)
	if err != nil {
		return err
	}
	done, edited := []*change{}, 0
	for _, t := range all {
		ch, err := pulled(ctx, c, dir, &t, here[t.Tenant+"/"+t.Name])
		if err != nil {
			return err
		}
		if ch.Action == "edited" && !force {
			edited++
		} else if ch.Action != "unchanged" && !dryRun {
			if err := ch.file.write(); err != nil {
				return err
			}
		}
		done = append(done, ch)
		s.say("%-9s %s  %s\n", ch.Action, ch.title(), ch.File)
	}
	if s.json {
		if err := s.data(done); err != nil {
			return err
		}
	}
	if edited > 0 {
		return fmt.Errorf("edited files left as they are: %d; push them, or write over them with --force", edited)
	}
	return nil
}

// pulled is what becomes of the file of a template.
func pulled(ctx context.Context, c *client.Client, dir string, t *client.Template, here *templateFile) (*change, error) {
	if !plainName.MatchString(t.Tenant) || !plainName.MatchString(t.Name) {
		return nil, fmt.Errorf("the service names a template %q of %q, which is no name for a file", t.Name, t.Tenant)
	}
	v, err := c.TemplateVersion(ctx, t.Tenant, t.Name, t.Version)
	if err != nil {
		return nil, &about{t.Tenant + "/" + t.Name, err}
	}
	file := fileOf(v)
	file.path = filepath.Join(dir, t.Tenant, t.Name+".yaml")
	ch := &change{Tenant: t.Tenant, Name: t.Name, Action: "new", Version: t.Version, Published: t.Published, file: file}
	if here != nil {
		file.path, ch.Action = here.path, "changed"
		theirs, err := file.text()
		if err != nil {
			return nil, err
		}
		ours, err := here.text()
		if err != nil {
			return nil, err
		}
		if ours == theirs {
			ch.Action = "unchanged"
		} else if kept, err := keptAs(ctx, c, t, ours); err != nil {
			return nil, err
		} else if !kept {
			ch.Action = "edited"
		}
	}
	ch.File = file.path
	return ch, nil
}

// keptAs tells whether an older version of a template says the same as a file: then the file was not edited.
func keptAs(ctx context.Context, c *client.Client, t *client.Template, text string) (bool, error) {
	for n := t.Version - 1; n > 0; n-- {
		v, err := c.TemplateVersion(ctx, t.Tenant, t.Name, n)
		if err != nil {
			return false, &about{t.Tenant + "/" + t.Name, err}
		}
		old, err := fileOf(v).text()
		if err != nil {
			return false, err
		}
		if old == text {
			return true, nil
		}
	}
	return false, nil
}
