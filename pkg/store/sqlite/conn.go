package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite"
)

// conn is one connection with its prepared statements, used by one goroutine at a time. It goes past
// database/sql, whose bookkeeping (a goroutine, locks and a dozen allocations a statement) costs more
// than the statements here do.
type conn struct {
	raw   driver.Conn
	stmts map[string]*stmt
}

// stmt is a prepared statement with room for its arguments and its row.
type stmt struct {
	driver.Stmt
	args []driver.NamedValue
	row  []driver.Value
}

func dial(path string) (*conn, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
	raw, err := new(sqlite.Driver).Open(dsn.String())
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: map[string]*stmt{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// script runs statements whose answers do not matter.
func (c *conn) script(sql string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	return err
}

// exec runs a statement, prepared once, and returns how many rows it changed.
func (c *conn) exec(sql string, args ...driver.Value) (int64, error) {
	s, err := c.bind(sql, args)
	if err != nil {
		return 0, err
	}
	// Not the caller's context: watching it costs a goroutine a statement, and none takes long.
	res, err := s.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), s.args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query runs a statement, prepared once, and calls each with its rows until it returns false. The row is
// reused; strings and bytes in it are the caller's.
func (c *conn) query(ctx context.Context, sql string, each func(row []driver.Value) bool, args ...driver.Value) (err error) {
	s, err := c.bind(sql, args)
	if err != nil {
		return err
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, s.args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		if err := rows.Next(s.row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if !each(s.row) {
			return nil
		}
	}
}

// number runs a statement that answers with one number.
func (c *conn) number(sql string, args ...driver.Value) (n int64, err error) {
	err = c.query(context.Background(), sql, func(row []driver.Value) bool {
		n, _ = row[0].(int64)
		return false
	}, args...)
	return n, err
}

func (c *conn) bind(sql string, args []driver.Value) (*stmt, error) {
	s := c.stmts[sql]
	if s == nil {
		p, err := c.raw.Prepare(sql)
		if err != nil {
			return nil, fmt.Errorf("prepare: %w", err)
		}
		s = &stmt{Stmt: p, args: make([]driver.NamedValue, len(args))}
		for i := range s.args {
			s.args[i].Ordinal = i + 1
		}
		c.stmts[sql] = s
	}
	for i, a := range args {
		s.args[i].Value = a
	}
	return s, nil
}
