//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sqlite

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// A lock that is not free is asked for again for a moment: a child that was forked while the file was open holds it
// until it becomes another program, and so does a process that is just being killed.
const (
	lockTries = 50
	lockPause = 10 * time.Millisecond
)

// lock takes the file for this process. SQLite alone would let two processes share it, and each would
// then run its own loops over the same records. The kernel drops the lock when the process ends, however
// it ends; the empty file stays.
func lock(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		}
		if try == lockTries {
			f.Close()
			return nil, ErrInUse
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
}
