package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/opennotify/notify/pkg/store/sqlite"
)

// The files of a data folder. The key opens all that is sealed in the others.
const (
	databaseFile = "notify.db"
	keyFile      = "master.key"
	secretsFile  = "secrets.json"
	blobsFolder  = "blobs"
)

// Copy makes a new data folder of another, which a running notify may be using: it is a backup, and its return. The
// database comes first, as it stands at one moment, and the files that its records name after it, so none is
// missing. The new folder appears when it is whole, and was opened with its own key. It holds everything, the key
// too: whoever has it can read it.
func Copy(ctx context.Context, from, to string, log *slog.Logger) (err error) {
	if err := vacant(to); err != nil {
		return err
	}
	part := filepath.Clean(to) + ".part"
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(part, 0o700); err != nil {
		return fmt.Errorf("%w (what an earlier copy left behind can be removed)", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(part))
		}
	}()
	if err := sqlite.Copy(ctx, filepath.Join(from, databaseFile), filepath.Join(part, databaseFile)); err != nil {
		return err
	}
	root, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range []string{keyFile, secretsFile, demoKey, canaryFile} {
		switch err := copyFile(ctx, root, name, part); {
		case errors.Is(err, fs.ErrNotExist) && name != keyFile: // no account has secrets, there is no demo, no canary
		case err != nil:
			return fmt.Errorf("copy %s: %w", filepath.Join(from, name), err)
		}
	}
	if err := copyFolder(ctx, root, blobsFolder, part); err != nil {
		return err
	}
	w, err := File(ctx, part, log)
	if err != nil {
		return fmt.Errorf("the copy cannot be opened: %w", err)
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.Rename(part, to)
}

// vacant tells whether a folder can be made there: an empty one is in nobody's way.
func vacant(path string) error {
	there, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(there) > 0:
		return fmt.Errorf("%s is not empty; name a new folder", path)
	}
	return os.Remove(path)
}

func copyFolder(ctx context.Context, from *os.Root, name, to string) error {
	return fs.WalkDir(from.FS(), name, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // there is none, or it was removed just now
			return nil
		case err != nil:
			return err
		case d.IsDir():
			return os.Mkdir(filepath.Join(to, path), 0o700)
		}
		if err := copyFile(ctx, from, path, to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func copyFile(ctx context.Context, from *os.Root, name, to string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	in, err := from.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(filepath.Join(to, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
