package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/opennotify/notify/pkg/store"
)

// The faults of opening a file, beside those of package store.
var (
	// ErrInUse: another process has the file open.
	ErrInUse = errors.New("sqlite: the file is in use by another process; only one may have it open")
	// ErrDamaged: the file's content is not what SQLite wrote. Restore a copy.
	ErrDamaged = errors.New("sqlite: the file is damaged; restore it from a backup")
	// ErrForeign: it is a database, of some other program.
	ErrForeign = errors.New("sqlite: the file belongs to another program")
)

// fault names an error of SQLite or of the operating system in the words of package store.
func fault(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case sqlite3.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", store.ErrTooLarge, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// code is SQLite's primary result code, 0 if the error is none of SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// ofMachine tells whether an error would meet every transaction alike.
func ofMachine(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}
