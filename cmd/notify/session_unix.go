//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// closed tells whether a pipe's other end is closed. Writing tells, too, but only once there is something to write.
func closed(f *os.File) bool {
	at := []unix.PollFd{{Fd: int32(f.Fd())}}
	n, err := unix.Poll(at, 0)
	return err == nil && n > 0 && at[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
}
