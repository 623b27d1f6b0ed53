package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/pkg/tenant"
)

// rootCommand is the whole command. Each verb has a file of its own.
func rootCommand(s *session) *cobra.Command {
	root := &cobra.Command{
		Use:   "notify",
		Short: "The notification service that all of a company's systems send through",
		Long: `notify runs the notification service on one machine, and talks to one anywhere.

The service's address is --url, NOTIFY_URL or that of a profile. The API key is NOTIFY_KEY or that of a
profile (see notify login), never an argument. With neither, the verbs use what notify local has started
here: ./data/demo.key, or NOTIFY_DATA, and http://127.0.0.1:8080, or NOTIFY_ADDR.

Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 an error; those of
notify send --wait are in its help.`,
		Example: `  notify local
  notify send login-code +8613800138000 code=482913 --wait
  notify trace +8613800138000`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	f := root.PersistentFlags()
	f.BoolVar(&s.json, "json", false, "print JSON on standard output")
	f.StringVar(&s.url, "url", "", "the service's address (NOTIFY_URL)")
	f.StringVar(&s.profile, "profile", "", "which login to use (NOTIFY_PROFILE)")
	f.StringVar(&s.lang, "lang", "", "zh or en (from LC_ALL, LC_MESSAGES or LANG)")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return s.start() }
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	root.AddCommand(localCommand(), sendCommand(s), explainCommand(s), traceCommand(s), searchCommand(s), cancelCommand(s), resendCommand(s), whoCommand(s),
		templateCommand(s), scheduleCommand(s), campaignCommand(s), keyCommand(s), providerCommand(s), endpointCommand(s), statsCommand(s), dlqCommand(s), auditCommand(s), revealCommand(s), eraseCommand(s), exportCommand(s), listenCommand(s), loginCommand(s), benchCommand(s), doctorCommand(s), bootstrapCommand(s), versionCommand(s))
	return root
}

// group is a verb that only has verbs below it.
func group(use, short, example string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Example: example,
		// A misspelt verb is found before its flags are.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true}}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		hint := "; see " + c.CommandPath() + " --help"
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("; did you mean %q?", strings.Join(near, `" or "`))
		}
		return fmt.Errorf("unknown command %q for %q%s", args[0], c.CommandPath(), hint)
	}
	c.SuggestionsMinimumDistance = 2
	c.AddCommand(verbs...)
	return c
}

// takes checks the number of arguments, and names them in its error. None may be empty: what a script's variable that
// was not set would find, or stop, is not what it was meant to.
func takes(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return fmt.Errorf("usage: %s; see %s --help", c.UseLine(), c.CommandPath())
		}
		if i := slices.Index(args, ""); i >= 0 {
			return fmt.Errorf("argument %d is empty (is a variable not set?); usage: %s", i+1, c.UseLine())
		}
		return nil
	}
}

// refuseKeys keeps keys out of command lines, which every user of the machine can read, and which shells
// keep.
func refuseKeys(args []string) error {
	for _, a := range args {
		for i := strings.Index(a, "nfy_"); i >= 0; {
			end := i
			for end < len(a) && strings.IndexByte("0123456789abcdefghijklmnopqrstuvwxyz_", a[end]) >= 0 {
				end++
			}
			if _, _, _, err := tenant.ParseKey(a[i:end]); err == nil {
				return errors.New("an API key must not be in the command line, where others can read it: use notify login or NOTIFY_KEY, " +
					"name a key by its id alone, and revoke this one")
			}
			next := strings.Index(a[i+1:], "nfy_")
			if next < 0 {
				break
			}
			i += 1 + next
		}
	}
	return nil
}
