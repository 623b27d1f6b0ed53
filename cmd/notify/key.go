package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func keyCommand(s *session) *cobra.Command {
	return group("key", "Make, list and revoke API keys", `  notify key create --tenant shop --title "order service" --scope send,read --live
  notify key list
  notify key revoke 8dqx4t98c3 --reason "leaked"`,
		keyCreateCommand(s), keyListCommand(s), keyRevokeCommand(s))
}

func keyCreateCommand(s *session) *cobra.Command {
	var r client.CreateKeyRequest
	var scopes []string
	var expires string
	var test bool
	c := &cobra.Command{
		Use:   "create",
		Short: "Make an API key; it is printed this once, alone on standard output",
		Long: `Make an API key. It is printed this once, alone on standard output, and kept nowhere. It sends with --live;
with --test it sends nothing and simulates outcomes.`,
		Example: `  notify key create --tenant shop --title "order service" --scope send,read --live
  notify key create --tenant shop --title "its tests" --scope send --test --expires 90d > test.key`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if r.Live == test {
				return errors.New("say --live for a key that sends, or --test for one that simulates")
			}
			for _, scope := range scopes {
				r.Scopes = append(r.Scopes, client.Scope(strings.TrimSpace(scope)))
			}
			if expires != "" {
				at, err := instant(expires, s.now())
				if err != nil {
					return fmt.Errorf("--expires: %w", err)
				}
				r.ExpiresAt = at
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			k, err := c.CreateKey(cmd.Context(), r)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(struct {
					client.APIKey
					Key string `json:"key"`
				}{k.APIKey, string(k.Text)})
			}
			s.say("%s\n", string(k.Text))
			s.tell("key %s for %s, scopes %s. Store it now: it is not shown again.\n", k.ID, ownerOf(&k.APIKey), scopesOf(&k.APIKey))
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&r.Tenant, "tenant", "", "whose key; one with the scope operate or admin needs none")
	f.StringVar(&r.Title, "title", "", "what it is for")
	f.StringSliceVar(&scopes, "scope", nil, "what it may do: send, read, support, reveal, operate, admin")
	f.BoolVar(&r.Live, "live", false, "it sends")
	f.BoolVar(&test, "test", false, "it sends nothing, and simulates outcomes")
	f.StringVar(&expires, "expires", "", "when it stops by itself: RFC 3339, or from now on, as 90d")
	f.StringVar(&r.Reason, "reason", "", "why, for the history")
	return c
}

func keyListCommand(s *session) *cobra.Command {
	var tenant string
	var all bool
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short: "List the API keys, without their secret parts",
		Example: `  notify key list
  notify key list --tenant shop --all --json`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			keys, err := c.Keys(cmd.Context(), tenant)
			if err != nil {
				return err
			}
			if !all {
				keys = slices.DeleteFunc(keys, func(k client.APIKey) bool { return k.Revoked })
			}
			if s.json {
				return s.data(keys)
			}
			rows := [][]any{{"ID", "TENANT", "KIND", "SCOPES", "EXPIRES", "TITLE"}}
			for i := range keys {
				k := &keys[i]
				kind := "test"
				if k.Live {
					kind = "live"
				}
				if k.Revoked {
					kind = "revoked"
				}
				rows = append(rows, []any{k.ID, ownerOf(k), kind, scopesOf(k), clock(k.ExpiresAt), k.Title})
			}
			s.table(rows)
			return nil
		},
	}
	c.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	c.Flags().BoolVar(&all, "all", false, "revoked ones too")
	return c
}

func keyRevokeCommand(s *session) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "revoke ID",
		Short: "Revoke an API key: it stops working within 30 seconds",
		Example: `  notify key revoke 8dqx4t98c3 --reason "leaked"
  notify key list --json | jq -r '.[] | select(.title=="old") | .id' | xargs -n 1 notify key revoke`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			k, err := c.RevokeKey(cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(k)
			}
			s.say("%s  revoked %s by %s\n", k.ID, clock(k.RevokedAt), k.RevokedBy)
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return c
}

func ownerOf(k *client.APIKey) string {
	if k.Tenant == "" {
		return "(all)"
	}
	return k.Tenant
}

func scopesOf(k *client.APIKey) string {
	out := make([]string, len(k.Scopes))
	for i, s := range k.Scopes {
		out[i] = string(s)
	}
	return strings.Join(out, ",")
}
