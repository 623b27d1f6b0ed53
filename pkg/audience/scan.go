package audience

import (
	"bytes"
	"io"
)

// readSize is how much is read at once.
const readSize = 64 << 10

// fill reads on, until there is a whole buffer or the end.
func (r *Reader) fill() error {
	for want := len(r.buf) + readSize; len(r.buf) < want && !r.eof; {
		if cap(r.buf)-len(r.buf) < readSize {
			grown := make([]byte, len(r.buf), 2*len(r.buf)+2*readSize)
			copy(grown, r.buf)
			r.buf = grown
		}
		n, err := r.src.Read(r.buf[len(r.buf) : len(r.buf)+readSize])
		r.buf = r.buf[:len(r.buf)+n]
		if err == io.EOF {
			r.eof = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// skip is over with n bytes.
func (r *Reader) skip(n int) {
	r.buf = r.buf[n:]
	r.at.Offset += int64(n)
}

// Why a row cannot be read.
const (
	tooLong  = "the row is longer than 64 KB"
	unclosed = "a cell begins with a double quote that is never closed; write a quote inside of a cell twice"
	afterEnd = "a cell goes on after its closing quote; write a quote inside of a cell twice"
)

// line reads a line, or says why it cannot be one.
func (r *Reader) line() (line []byte, why string, err error) {
	for from := 0; ; {
		if i := bytes.IndexByte(r.buf[from:], '\n'); i >= 0 {
			line = bytes.TrimSuffix(bytes.Clone(r.buf[:from+i]), []byte("\r"))
			r.skip(from + i + 1)
			if len(line) > maxRow {
				return nil, tooLong, nil
			}
			return line, "", nil
		}
		from = len(r.buf)
		if from > maxRow {
			return nil, tooLong, r.pass()
		}
		if r.eof {
			if from == 0 {
				return nil, "", io.EOF
			}
			line = bytes.TrimSuffix(bytes.Clone(r.buf), []byte("\r"))
			r.skip(from)
			return line, "", nil
		}
		if err := r.fill(); err != nil {
			return nil, "", err
		}
	}
}

// pass goes on to the next line.
func (r *Reader) pass() error {
	for {
		if i := bytes.IndexByte(r.buf, '\n'); i >= 0 {
			r.skip(i + 1)
			return nil
		}
		r.skip(len(r.buf))
		if r.eof {
			return nil
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
}

// record reads a row of cells, or says why it cannot be one. A row that is not closed is given up at its
// first line's end: one stray quote does not swallow the rest of the file.
func (r *Reader) record() (cells []string, why string, err error) {
	for {
		cells, n, why := split(r.buf, r.at.Comma, r.eof)
		switch {
		case n > maxRow:
			r.skip(n)
			return nil, tooLong, nil
		case n > 0:
			r.skip(n)
			return cells, why, nil
		case why != "":
			return nil, why, r.pass()
		case len(r.buf) > maxRow:
			why := unclosed
			if i := bytes.IndexByte(r.buf, '\n'); i < 0 || i > maxRow {
				why = tooLong
			}
			return nil, why, r.pass()
		case r.eof && len(r.buf) == 0:
			return nil, "", io.EOF
		case r.eof:
			return nil, unclosed, r.pass()
		}
		if err := r.fill(); err != nil {
			return nil, "", err
		}
	}
}

// split takes a row off b: its cells, and how many bytes it has; 0 when b does not hold all of it.
func split(b []byte, comma byte, whole bool) (cells []string, n int, why string) {
	for i := 0; ; {
		var cell []byte
		if i < len(b) && b[i] == '"' {
			for i++; ; {
				end := bytes.IndexByte(b[i:], '"')
				if end < 0 {
					return nil, 0, ""
				}
				cell = append(cell, b[i:i+end]...)
				i += end + 1
				if i == len(b) && !whole {
					return nil, 0, "" // another quote may follow
				}
				if i == len(b) || b[i] != '"' {
					break
				}
				cell = append(cell, '"')
				i++
			}
			if i < len(b) && b[i] == '\r' {
				i++
			}
			if i < len(b) && b[i] != comma && b[i] != '\n' {
				return nil, 0, afterEnd
			}
		} else {
			end := i
			for end < len(b) && b[end] != comma && b[end] != '\n' {
				end++
			}
			cell = bytes.TrimSuffix(b[i:end], []byte("\r"))
			i = end
		}
		switch {
		case i < len(b) && b[i] == comma:
			cells = append(cells, string(cell))
			i++
		case i < len(b): // the line's end
			return append(cells, string(cell)), i + 1, ""
		case whole && i > 0:
			return append(cells, string(cell)), i, ""
		default:
			return nil, 0, ""
		}
	}
}
