package audience

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/problem"
)

// Format is how a list is written.
type Format string

// The formats.
const (
	CSV   Format = "csv"   // a header, and a line for each recipient
	JSONL Format = "jsonl" // an object in each line
)

// The bounds of a list.
const (
	MaxRows    = 1_000_000
	MaxBytes   = 256 << 20
	maxColumns = 100
	maxName    = 64       // of a column, in characters
	maxRow     = 64 << 10 // bytes
)

// Row is one recipient, or what is wrong with it.
type Row struct {
	N     int      // from 1, without the header
	Cells []string // of a CSV file, as they are in it
	Line  []byte   // of JSON lines
	// Faults are of the row's form; what its values mean is Binding's to judge.
	Faults []Fault
}

// Fault is what is wrong with a cell, and what to do about it. It never repeats the cell.
type Fault struct {
	Column string       `json:"column,omitzero"` // "" is the whole row
	Code   problem.Code `json:"code"`
	Detail string       `json:"detail"`
}

// Place is where reading goes on. The zero Place is the beginning. A list may be in several parts, cut
// between rows: the place in the next part has the offset 0 and all else as it was at the end of the part
// before.
type Place struct {
	Offset  int64    `json:"o,omitzero"` // of the next row, in bytes
	Row     int      `json:"n,omitzero"` // rows before it
	Columns []string `json:"c,omitzero"`
	Comma   byte     `json:"d,omitzero"`
}

// FileError is why a whole file cannot be read, in words for the person who sent it.
type FileError struct{ Detail string }

// Error is the words.
func (e *FileError) Error() string { return "audience: " + e.Detail }

// Reader reads a list. What is not of the file, as a lost connection, is the error of its source.
type Reader struct {
	src    io.Reader
	format Format
	at     Place
	buf    []byte // what was read and not given yet
	eof    bool
}

// NewReader reads from a source that begins at a place's offset. Of a CSV file that is its beginning the
// header is read, and what can be told of the whole file by it is a *FileError.
func NewReader(src io.Reader, f Format, at Place) (*Reader, error) {
	r := &Reader{src: src, format: f, at: at}
	if at.Offset > 0 || at.Row > 0 || at.Columns != nil {
		return r, nil
	}
	if err := r.fill(); err != nil {
		return nil, err
	}
	if why := foreign(r.buf); why != "" {
		return nil, &FileError{why}
	}
	if bytes.HasPrefix(r.buf, []byte("\ufeff")) {
		r.skip(3)
	}
	if f == CSV {
		return r, r.header()
	}
	return r, nil
}

// Place is where the next row begins.
func (r *Reader) Place() Place { return r.at }

// foreign tells what a file is that is neither.
func foreign(b []byte) string {
	switch {
	case len(b) == 0:
		return "the file is empty"
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return "the file is an Excel workbook or a ZIP archive; in Excel choose Save As, and CSV UTF-8"
	case bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0")):
		return "the file is an old Excel workbook; in Excel choose Save As, and CSV UTF-8"
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return "the file is compressed with gzip; send it as it was before"
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return "the file is in UTF-16, as Excel's Unicode Text is; in Excel choose Save As, and CSV UTF-8"
	case bytes.IndexByte(b, 0) >= 0:
		return "the file is not text"
	}
	return ""
}

// header reads the names of the columns.
func (r *Reader) header() error {
	line := r.buf
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	if !utf8.Valid(line) {
		return &FileError{"the names of the columns are " + notUTF8(line)}
	}
	r.at.Comma = comma(line)
	cells, why, err := r.record()
	switch {
	case errors.Is(err, io.EOF):
		return &FileError{"the file is empty"}
	case err != nil:
		return err
	case why != "":
		return &FileError{"the first line, which names the columns, cannot be read: " + why}
	case len(cells) > maxColumns:
		return &FileError{fmt.Sprintf("the file has %d columns; %d are allowed", len(cells), maxColumns)}
	}
	for i, name := range cells {
		cells[i] = unescape(strings.TrimSpace(name))
		switch {
		case utf8.RuneCountInString(cells[i]) > maxName:
			return &FileError{fmt.Sprintf("the name of column %d has more than %d characters; the first line names the columns", i+1, maxName)}
		case cells[i] != "" && slices.Contains(cells[:i], cells[i]):
			return &FileError{fmt.Sprintf("two columns have one name: columns %d and %d; give each a name of its own", slices.Index(cells, cells[i])+1, i+1)}
		}
	}
	for len(cells) > 0 && cells[len(cells)-1] == "" { // as spreadsheets leave them
		cells = cells[:len(cells)-1]
	}
	if len(cells) == 0 {
		return &FileError{"the first line names no columns"}
	}
	r.at.Columns = cells
	return nil
}

// comma is what separates the cells: the one of , ; and tab that the header has most of.
func comma(line []byte) byte {
	best, most := byte(','), 0
	for _, c := range []byte(",;\t") {
		if n := bytes.Count(line, []byte{c}); n > most {
			best, most = c, n
		}
	}
	return best
}

// Next is the next row, with its faults; io.EOF after the last. Empty lines are no rows.
func (r *Reader) Next() (Row, error) {
	for {
		row := Row{N: r.at.Row + 1}
		var why string
		var err error
		if r.format == JSONL {
			row.Line, why, err = r.line()
		} else {
			row.Cells, why, err = r.record()
		}
		switch {
		case err != nil:
			return Row{}, err
		case why == "" && len(bytes.TrimSpace(row.Line)) == 0 && strings.Join(row.Cells, "") == "":
			continue
		}
		r.at.Row++
		if why != "" {
			row.Faults = []Fault{{Code: problem.BadValue, Detail: why}}
			return row, nil
		}
		row.Faults = r.form(&row)
		return row, nil
	}
}

// form judges a row's cells as bytes.
func (r *Reader) form(row *Row) (faults []Fault) {
	if r.format == JSONL {
		if !utf8.Valid(row.Line) {
			faults = append(faults, Fault{Code: problem.BadValue, Detail: "the line is " + notUTF8(row.Line)})
		}
		return faults
	}
	names := r.at.Columns
	for n := len(row.Cells); n > len(names) && row.Cells[n-1] == ""; n = len(row.Cells) {
		row.Cells = row.Cells[:n-1]
	}
	if len(row.Cells) != len(names) {
		faults = append(faults, Fault{Code: problem.BadValue, Detail: fmt.Sprintf("the row has %d cells, the header %d; a cell with the separator in it is written in double quotes", len(row.Cells), len(names))})
	}
	for i, cell := range row.Cells {
		column := ""
		if i < len(names) {
			column = names[i]
		}
		if !utf8.ValidString(cell) {
			faults = append(faults, Fault{column, problem.BadValue, "the cell is " + notUTF8([]byte(cell))})
		}
		row.Cells[i] = unescape(cell)
	}
	return faults
}

// notUTF8 says what bytes are that are not, as far as can be told.
func notUTF8(b []byte) string {
	if isGBK(b) {
		return "not in UTF-8 but, as it looks, in GBK; in Excel choose Save As, and CSV UTF-8"
	}
	return "not in UTF-8; save the file as CSV UTF-8"
}

// isGBK tells whether all that is not ASCII are pairs of GBK.
func isGBK(b []byte) bool {
	pairs := 0
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		if b[i] == 0x80 || b[i] == 0xff || i+1 == len(b) || b[i+1] < 0x40 || b[i+1] == 0x7f || b[i+1] == 0xff {
			return false
		}
		pairs++
		i++
	}
	return pairs > 0
}
