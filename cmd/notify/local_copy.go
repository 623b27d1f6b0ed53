package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/pkg/local"
)

// backupCommand copies a data folder, and restoreCommand makes one of the copy.
func backupCommand() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "backup FOLDER",
		Short: "Copy the data folder, also while notify runs on it",
		Long: `backup copies the data folder to a new one: the database as it stands at one moment, then the files that it names.
notify may go on running. The copy is opened once with its own key before it appears under its name. It holds
everything, the key too: keep it as you keep the data folder.`,
		Example: `  notify local backup /backups/notify-2026-03-01
  notify local backup --data /var/lib/notify /backups/monday`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return copyData(c, data, args[0], "Backed up to %s. To go back to it: notify local restore %[1]s --data NEW_FOLDER\n")
		},
	}
	c.Flags().StringVar(&data, "data", dataFolder(), "the data folder to copy (NOTIFY_DATA)")
	return c
}

func restoreCommand() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "restore FOLDER",
		Short: "Make a data folder of a backup",
		Long: `restore makes a new data folder of a backup, which stays as it is. What was accepted after the backup is not in it:
messages that were sent since are unknown, and those that were waiting then are sent, perhaps again.`,
		Example: `  notify local restore /backups/monday --data ./restored
  notify local --data ./restored`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return copyData(c, args[0], data, "Restored to %s. Start it: notify local --data %[1]s\n")
		},
	}
	c.Flags().StringVar(&data, "data", dataFolder(), "the data folder to make: a new one, or empty (NOTIFY_DATA)")
	return c
}

func dataFolder() string { return cmp.Or(os.Getenv("NOTIFY_DATA"), "./data") }

func copyData(c *cobra.Command, from, to, done string) error {
	log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
	if err := local.Copy(c.Context(), from, to, log); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), done, to)
	return err
}
