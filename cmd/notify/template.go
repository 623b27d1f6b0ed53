package main

import (
	"cmp"

	"github.com/spf13/cobra"
)

func templateCommand(s *session) *cobra.Command {
	return group("template", "Keep templates as files: compare, push and pull them; try, publish and stop them; bind them to vendors' own", `  notify template pull templates/
  notify template diff templates/
  notify template push templates/ --publish`,
		templateListCommand(s), templatePushCommand(s), templatePullCommand(s), templateDiffCommand(s), templateBindCommand(s),
		templateTryCommand(s), templatePublishCommand(s), templateUsesCommand(s), templateStopCommand(s))
}

func templateListCommand(s *session) *cobra.Command {
	var tenant string
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the templates that the key may send",
		Example: `  notify template list
  notify template list --tenant shop --json`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			all, err := c.Templates(cmd.Context(), tenant)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(all)
			}
			rows := [][]any{{"TEMPLATE", "CLASS", "NEWEST", "PUBLISHED", "CHANGED", "BY"}}
			for _, t := range all {
				rows = append(rows, []any{t.Tenant + "/" + t.Name, t.Class, t.Version, cmp.Or(number("v", t.Published), "-"), clock(t.ChangedAt), t.Author})
			}
			s.table(rows)
			return nil
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	return c
}
