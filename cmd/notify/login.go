package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/tenant"
)

func loginCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "login",
		Short: "Store a service's address and key for the next commands",
		Long: `Store a service's address and key in ~/.config/notify/config.yaml, which only you can read. The key is asked
for on the terminal, or read from standard input, or else taken from NOTIFY_KEY; never from the command line.
The service is asked whether the key works first. --profile names the login; without it, it is the default.`,
		Example: `  notify login --url https://notify.example.com
  notify login --url https://notify.example.com --profile prod < prod.key
  NOTIFY_PROFILE=prod notify template diff templates/`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return s.login(c.Context()) },
	}
}

func (s *session) login(ctx context.Context) error {
	file, err := s.loadProfiles()
	if err != nil {
		return err
	}
	address := cmp.Or(s.url, s.env("NOTIFY_URL"))
	if address == "" {
		return errors.New("which service? Name its address with --url or NOTIFY_URL")
	}
	key, from, err := s.askKey()
	if err != nil {
		return err
	}
	_, _, live, err := tenant.ParseKey(key)
	if err != nil {
		return fmt.Errorf("what came from %s is not an API key, or not all of it: one begins with nfy_live_ or nfy_test_ and has 58 characters", from)
	}
	s.place = place{address, client.Key(key), from}
	c, err := s.clientOf(s.place, nil)
	if err != nil {
		return err
	}
	scopes, err := probe(ctx, c, client.Key(key))
	if err != nil {
		return err
	}
	name := cmp.Or(s.profile, s.env("NOTIFY_PROFILE"), defaultProfile)
	file.Profiles[name] = profile{URL: address, Key: key}
	if err := file.save(); err != nil {
		return fmt.Errorf("store the login: %w", err)
	}
	kind := "test"
	if live {
		kind = "live"
	}
	if s.json {
		return s.data(struct {
			Profile string `json:"profile"`
			URL     string `json:"url"`
			Path    string `json:"path"`
			Live    bool   `json:"live"`
			Scopes  string `json:"scopes"`
		}{name, address, file.path, live, scopes.text})
	}
	s.say("logged in to %s as profile %q with a %s key: %s\n", address, name, kind, scopes.text)
	return nil
}

// askKey reads the key: from the terminal without showing it, from standard input, or from NOTIFY_KEY.
func (s *session) askKey() (key, from string, err error) {
	if s.terminal {
		s.tell("API key (it is not shown): ")
		text, err := term.ReadPassword(int(os.Stdin.Fd()))
		s.tell("\n")
		if err != nil {
			return "", "", fmt.Errorf("read the key: %w", err)
		}
		if key = strings.TrimSpace(string(text)); key != "" {
			return key, "the terminal", nil
		}
	} else {
		line, err := bufio.NewReader(io.LimitReader(s.in, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", "", fmt.Errorf("read the key: %w", err)
		}
		if key = strings.TrimSpace(line); key != "" {
			return key, "standard input", nil
		}
	}
	if key = strings.TrimSpace(s.env("NOTIFY_KEY")); key != "" {
		return key, "NOTIFY_KEY", nil
	}
	return "", "", errors.New("no key: type it, pipe it in, or set NOTIFY_KEY")
}

// errNoKey is seen without asking the service: a key has a checksum.
var errNoKey = errors.New("this is not an API key, or not all of it")

// rights is what a key may do.
type rights struct {
	text string
	key  *client.APIKey // what the service says of it, nil for keys that may not ask
}

// probe finds out whether a key works and what it may do. A key that does not operate cannot read its own
// record, so it tries to read and to cancel a message that cannot exist.
func probe(ctx context.Context, c *client.Client, key client.Key) (rights, error) {
	id, _, _, err := tenant.ParseKey(string(key))
	if err != nil {
		return rights{}, errNoKey
	}
	k, err := c.APIKey(ctx, id)
	if err == nil {
		who := "all tenants"
		if k.Tenant != "" {
			who = "tenant " + k.Tenant
		}
		return rights{fmt.Sprintf("%s, scopes %s", who, scopesOf(k)), k}, nil
	}
	if codeOf(err) != client.CodeForbidden {
		return rights{}, err
	}
	var scopes []string
	_, err = c.Get(ctx, "no-message")
	if codeOf(err) == client.CodeNotFound {
		scopes = append(scopes, "read")
	}
	_, err = c.Cancel(ctx, "no-message", "")
	if codeOf(err) == client.CodeNotFound {
		scopes = append(scopes, "send")
	}
	return rights{text: "scopes " + strings.Join(scopes, ",")}, nil
}

// codeOf is the code of the service's refusal; "" for other errors.
func codeOf(err error) string {
	var refused *client.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}
