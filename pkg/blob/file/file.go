// Package file keeps objects as files in a folder, and takes uploads over HTTP as a cloud's store does:
// by an address that is signed and good for a while.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/opennotify/notify/pkg/blob"
)

// Options are what a Store needs.
type Options struct {
	Now func() time.Time
	// Key signs the addresses of uploads.
	Key []byte
	// URL is where Handler is reached, without a slash at its end.
	URL func() string
}

// Store is a blob.Store in a folder. It is safe for concurrent use.
type Store struct {
	root *os.Root
	opts Options
	made atomic.Int64 // numbers what is being written
}

var _ blob.Store = (*Store)(nil)

// partial begins the names of files that are not whole: no key's part begins with a dot.
const partial = ".partial-"

// Open opens a folder, and makes it if there is none. Nobody else may write to it. What an earlier process
// left unfinished is removed.
func Open(dir string, o Options) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	left, err := fs.Glob(root.FS(), partial+"*")
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	for _, name := range left {
		_ = root.Remove(name) // the next start tries again
	}
	return &Store{root: root, opts: o}, nil
}

// Close lets go of the folder.
func (s *Store) Close() error { return s.root.Close() }

// Put keeps an object.
func (s *Store) Put(ctx context.Context, key string, body []byte) error {
	if len(body) > blob.MaxPut {
		return fmt.Errorf("blob: put %s: it has %d bytes", key, len(body))
	}
	return s.put(ctx, key, bytes.NewReader(body), int64(len(body)))
}

// errSize: an upload is longer or shorter than was granted.
var errSize = errors.New("blob: the content has another size than was announced")

// put writes beside the objects, to the disk, and then gives it its name.
func (s *Store) put(ctx context.Context, key string, r io.Reader, size int64) (err error) {
	if err := check(ctx, key); err != nil {
		return err
	}
	if dir := path.Dir(key); dir != "." {
		if err := s.root.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("blob: put: %w", err)
		}
	}
	name := partial + strconv.FormatInt(s.opts.Now().UnixNano(), 36) + "-" + strconv.FormatInt(s.made.Add(1), 36)
	f, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("blob: put: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(r, size+1))
	if err == nil && n != size {
		err = errSize
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.root.Rename(name, key)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("blob: put: %w", err), s.root.Remove(name))
	}
	return nil
}

func check(ctx context.Context, key string) error {
	if !blob.ValidKey(key) {
		return fmt.Errorf("blob: %.80q is no key", key)
	}
	return ctx.Err()
}

// missing makes the system's error blob's own.
func missing(what string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return blob.ErrNotFound
	}
	return fmt.Errorf("blob: %s: %w", what, err)
}

// Open reads an object.
func (s *Store) Open(ctx context.Context, key string, from int64) (io.ReadCloser, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	f, err := s.root.Open(key)
	if err != nil {
		return nil, missing("open", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err == nil {
		_, err = f.Seek(from, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(missing("open", err), f.Close())
	}
	return f, nil
}

// Copy keeps an object under another key too.
func (s *Store) Copy(ctx context.Context, from, to string) error {
	size, err := s.Size(ctx, from)
	if err != nil {
		return err
	}
	r, err := s.Open(ctx, from, 0)
	if err != nil {
		return err
	}
	return errors.Join(s.put(ctx, to, r, size), r.Close())
}

// Size is an object's.
func (s *Store) Size(ctx context.Context, key string) (int64, error) {
	if err := check(ctx, key); err != nil {
		return 0, err
	}
	info, err := s.root.Stat(key)
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return 0, missing("size", err)
	}
	return info.Size(), nil
}

// List gives the keys with a prefix.
func (s *Store) List(ctx context.Context, prefix, after string) ([]string, error) {
	keys := []string{}
	dir := "."
	if i := strings.LastIndexByte(prefix, '/'); i > 0 {
		dir = prefix[:i]
	}
	err := fs.WalkDir(s.root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if !d.IsDir() && strings.HasPrefix(name, prefix) && name > after && !strings.HasPrefix(name, partial) {
			keys = append(keys, name)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("blob: list: %w", err)
	}
	slices.Sort(keys) // a walk has the order of folders, not of keys
	return keys[:min(len(keys), blob.MaxList)], nil
}

// Delete removes objects.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := check(ctx, key); err != nil {
			return err
		}
		if err := s.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("blob: delete: %w", err)
		}
	}
	return nil
}

// Purge removes what was written before a time, and tells how much that was: a cloud's store does that by
// itself.
func (s *Store) Purge(ctx context.Context, prefix string, before time.Time) (n int, err error) {
	err = fs.WalkDir(s.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if d.IsDir() || !strings.HasPrefix(name, prefix) {
			return nil
		}
		info, err := d.Info()
		if err != nil || !info.ModTime().Before(before) {
			return nil // gone meanwhile, or young
		}
		if err := s.root.Remove(name); err == nil {
			n++
		}
		return nil
	})
	return n, err
}
