package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Copy writes the file at from, as it stands at one moment, to a new file at to, checked and synced. The file may be
// in use, by this process or by another: that one goes on reading and writing, and only its log grows meanwhile.
// Errors: [ErrForeign], [ErrDamaged], [store.ErrFull]; what was begun of the copy is then removed.
func Copy(ctx context.Context, from, to string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("copy %s: %w", from, fault(err))
		}
	}()
	if _, err := os.Stat(from); err != nil { // SQLite would make one
		return err
	}
	c, err := dial(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.script("PRAGMA busy_timeout = 5000"); err != nil { // somebody may be opening or closing it, or copying too
		return err
	}
	switch app, err := c.number("PRAGMA application_id"); {
	case err != nil:
		return err
	case app != applicationID:
		return ErrForeign
	}
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // whoever may read the one may read the other
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	if _, err := c.exec("VACUUM INTO ?", to); err != nil {
		return err
	}
	if err := checked(ctx, to); err != nil {
		return err
	}
	return f.Sync()
}

func checked(ctx context.Context, path string) error {
	c, err := dial(path)
	if err != nil {
		return err
	}
	return errors.Join(integrity(ctx, c), c.close())
}
