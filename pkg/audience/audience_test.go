package audience

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	strict "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/template"
)

// told is what a file reads as, a line for each row.
func told(t testing.TB, f Format, file string) (rows []string, err error) {
	t.Helper()
	r, err := NewReader(iotest.OneByteReader(strings.NewReader(file)), f, Place{})
	if err != nil {
		return nil, err
	}
	for {
		row, err := r.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%d %q", row.N, row.Cells)
		if f == JSONL {
			text = fmt.Sprintf("%d %s", row.N, row.Line)
		}
		for _, fault := range row.Faults {
			text += fmt.Sprintf(" [%s: %s]", fault.Column, fault.Detail)
		}
		rows = append(rows, text)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"plain":           {"to,name\na,b\nc,d\n", []string{`1 ["a" "b"]`, `2 ["c" "d"]`}},
		"no last newline": {"to,name\na,b", []string{`1 ["a" "b"]`}},
		"BOM and CRLF":    {"\ufeffto,name\r\na,b\r\n\r\nc,d\r\n", []string{`1 ["a" "b"]`, `2 ["c" "d"]`}},
		"quotes":          {"to,name\n\"a\",\"b, \"\"c\"\"\nd\"\r\ne,\"\"\n", []string{`1 ["a" "b, \"c\"\nd"]`, `2 ["e" ""]`}},
		"quote inside":    {"to,name\na,5\" nails\n", []string{`1 ["a" "5\" nails"]`}},
		"semicolons":      {"to;name;n\na;b,c;1\n", []string{`1 ["a" "b,c" "1"]`}},
		"tabs":            {"to\tname\na\tb c\n", []string{`1 ["a" "b c"]`}},
		"empty rows":      {"to,name\n\n,\n,,\na,b\n\n", []string{`1 ["a" "b"]`}},
		"Chinese":         {"手机号,姓名\n138,张三\n", []string{`1 ["138" "张三"]`}},
		"spreadsheet's":   {"to,name,,\na,b,,\n", []string{`1 ["a" "b"]`}},
		"formula undone":  {"to,name\n'+86 x,'=1+1\n''=x,'tis\n", []string{`1 ["+86 x" "=1+1"]`, `2 ["'=x" "'tis"]`}},
		"too few":         {"to,name\na\nb,c\n", []string{`1 ["a"] [: the row has 1 cells, the header 2; a cell with the separator in it is written in double quotes]`, `2 ["b" "c"]`}},
		"too many":        {"to,name\na,b,c\nd,e\n", []string{`1 ["a" "b" "c"] [: the row has 3 cells, the header 2; a cell with the separator in it is written in double quotes]`, `2 ["d" "e"]`}},
		"unclosed":        {"to,name\na,\"b\nc,d\ne,f\n", []string{`1 [] [: ` + unclosed + `]`, `2 ["c" "d"]`, `3 ["e" "f"]`}},
		"after the quote": {"to,name\n\"a\"b,c\nd,e\n", []string{`1 [] [: ` + afterEnd + `]`, `2 ["d" "e"]`}},
		"GBK":             {"to,name\na,\xd5\xc5\xc8\xfd\nb,c\n", []string{`1 ["a" "\xd5\xc5\xc8\xfd"] [name: the cell is not in UTF-8 but, as it looks, in GBK; in Excel choose Save As, and CSV UTF-8]`, `2 ["b" "c"]`}},
		"bad UTF-8":       {"to,name\na,x\xff\n", []string{`1 ["a" "x\xff"] [name: the cell is not in UTF-8; save the file as CSV UTF-8]`}},
		"huge row":        {"to,name\na," + strings.Repeat("x", maxRow) + "\nb,c\n", []string{`1 [] [: ` + tooLong + `]`, `2 ["b" "c"]`}},
		"huge quoted row": {"to,name\na,\"" + strings.Repeat("x\n", maxRow/2) + "\"\nb,c\n", nil},
		"header alone":    {"to,name\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := told(t, CSV, c.file)
			if err != nil {
				t.Fatal(err)
			}
			if name == "huge quoted row" { // given up at its first line, so what is in it are rows
				if last := got[len(got)-1]; !strings.HasSuffix(last, `["b" "c"]`) || !strings.Contains(got[0], "64 KB") {
					t.Error(got[0], last)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error("(-want +got):", diff)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, want string }{
		"empty":       {"", "the file is empty"},
		"BOM alone":   {"\ufeff", "the file is empty"},
		"workbook":    {"PK\x03\x04....", "Excel workbook"},
		"gzip":        {"\x1f\x8b....", "gzip"},
		"UTF-16":      {"\xff\xfet\x00o\x00", "UTF-16"},
		"binary":      {"to\x00", "not text"},
		"GBK header":  {"\xca\xd6\xbb\xfa,x\n", "in GBK"},
		"no names":    {",,\na,b,c\n", "names no columns"},
		"twice":       {"to,to\n", "two columns have one name"},
		"long name":   {"to," + strings.Repeat("x", 65) + "\n", "more than 64 characters"},
		"many":        {"to" + strings.Repeat(",x", 100) + "\n", "101 columns"},
		"open quote":  {"\"to,name\na,b\n", "cannot be read"},
		"a long line": {strings.Repeat("x", 2*maxRow), "64 KB"},
	} {
		_, err := told(t, CSV, c.file)
		var bad *FileError
		if !errors.As(err, &bad) || !strings.Contains(bad.Detail, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r, err := NewReader(iotest.ErrReader(io.ErrUnexpectedEOF), CSV, Place{}); r != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("a lost connection is the file's fault:", err)
	}
}

func TestJSONL(t *testing.T) {
	t.Parallel()
	got, err := told(t, JSONL, "\ufeff{\"to\":\"a\"}\r\n\n{\"to\":\"b\"}\n\xff\n"+strings.Repeat("x", maxRow+1)+"\n{}")
	want := []string{`1 {"to":"a"}`, `2 {"to":"b"}`, "3 \xff [: the line is not in UTF-8; save the file as CSV UTF-8]", "4  [: " + tooLong + "]", "5 {}"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, "(-want +got):", diff)
	}
}

var variables = []template.Variable{{Name: "name", Type: "string"}, {Name: "amount", Type: "number"}, {Name: "paid", Type: "boolean"}, {Name: "items", Type: "list"}}

func TestBind(t *testing.T) {
	t.Parallel()
	b, faults := Bind(CSV, []string{"手机号", "name", "Betrag", "note"}, Columns{Vars: map[string]string{"amount": "Betrag"}}, variables)
	if len(faults) > 0 || b.Column("to") != "手机号" || b.Column("amount") != "Betrag" || b.Column("paid") != "paid" {
		t.Fatal(faults)
	}
	if diff := cmp.Diff([]string{"note"}, b.Unused); diff != "" {
		t.Error(diff)
	}
	got, rowFaults := b.Read(Row{Cells: []string{" 138 ", "Anna", "12.50", "x"}})
	if diff := cmp.Diff(Recipient{To: "138", Vars: map[string]any{"name": "Anna", "amount": json.Number("12.50")}}, got); diff != "" || rowFaults != nil {
		t.Error(rowFaults, diff)
	}
	_, rowFaults = b.Read(Row{Cells: []string{"", "", "1,000", ""}})
	if len(rowFaults) != 2 || rowFaults[0].Column != "Betrag" || rowFaults[1].Column != "手机号" || strings.Contains(fmt.Sprint(rowFaults), "1,000") {
		t.Error(rowFaults)
	}
	for name, c := range map[string]struct {
		columns []string
		told    Columns
		want    string
	}{
		"nobody to write to": {[]string{"name"}, Columns{}, "/to"},
		"another column":     {[]string{"to"}, Columns{Channel: "ch"}, "/channel"},
		"another variable":   {[]string{"to"}, Columns{Vars: map[string]string{"nme": "to"}}, "/vars/nme"},
		"a variable's":       {[]string{"to"}, Columns{Vars: map[string]string{"name": "x"}}, "/vars/name"},
	} {
		if _, faults := Bind(CSV, c.columns, c.told, variables); len(faults) != 1 || faults[0].Pointer != c.want {
			t.Error(name, faults)
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, text string
		want       any
	}{
		{"number", " 12.5 ", json.Number("12.5")}, {"number", "-0", json.Number("-0")}, {"number", "1e3", json.Number("1e3")},
		{"number", "1,5", nil}, {"number", "12 €", nil}, {"number", "null", nil}, {"number", "true", nil}, {"number", `"1"`, nil}, {"number", "NaN", nil}, {"number", "0x1", nil},
		{"boolean", "TRUE", true}, {"boolean", "false", false}, {"boolean", "yes", nil}, {"boolean", "1", nil},
		{"list", "[]", nil}, {"string", " a ", " a "}, {"", "a", "a"}, {"url", "https://x", "https://x"},
	} {
		if got, why := value(c.kind, c.text); got != c.want || (why == "") != (c.want != nil) {
			t.Errorf("%s %q: %v %s", c.kind, c.text, got, why)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	b, _ := Bind(JSONL, nil, Columns{}, variables)
	got, faults := b.Read(Row{Line: []byte(`{"to":"a","channel":"sms","locale":"zh","vars":{"amount":1.50}}`)})
	if diff := cmp.Diff(Recipient{To: "a", Channel: "sms", Locale: "zh", Vars: map[string]any{"amount": json.Number("1.50")}}, got); diff != "" || faults != nil {
		t.Error(faults, diff)
	}
	for _, line := range []string{``, `[]`, `{"to":1}`, `{"to":"a","x":"secret"}`, `{"to":"a","to":"b"}`, `{"to":"a"} x`, `{"to":"a","vars":[]}`, `{"vars":{}}`, `{"to":"a","vars":7}`} {
		if _, faults := b.Read(Row{Line: []byte(line)}); len(faults) != 1 || strings.Contains(faults[0].Detail, "secret") {
			t.Error(line, faults)
		}
	}
}

func TestVars(t *testing.T) {
	t.Parallel()
	in := Recipient{To: "a", Vars: Vars{"amount": json.Number("12.50"), "name": "<张>", "list": []any{map[string]any{"n": json.Number("1e2")}}}}
	b, err := strict.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out Recipient
	if err := strict.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error("(-want +got):", diff)
	}
}

// Reading that stops after any row goes on with the next; what is written is read as it was, and computes
// nothing.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.StringMatching(`[a-z0-9 ,;"'+=@.\n-]{0,12}`), rapid.SampledFrom([]string{"=1+1", "+8613800138000", "-5", "@x", "'=x", "张三", "\t=x", "a\rb"}))
		name := rapid.SampledFrom([]string{"name", "=x", "@x", "'=x", "+1 a", "-", "-5", "姓名"})
		rows := [][]string{{"to", name.Draw(t, "column")}}
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			rows = append(rows, []string{"x" + cell.Draw(t, "to"), cell.Draw(t, "name")})
		}
		var file bytes.Buffer
		if err := WriteCSV(&file, rows...); err != nil {
			t.Fatal(err)
		}
		at, whole := Place{}, file.Bytes()
		for _, want := range rows[1:] {
			r, err := NewReader(bytes.NewReader(whole[at.Offset:]), CSV, at)
			if err != nil {
				t.Fatal(err)
			}
			row, err := r.Next()
			if diff := cmp.Diff(want, row.Cells); diff != "" || err != nil || len(row.Faults) > 0 {
				t.Fatalf("%v %v of\n%s(-want +got): %s", err, row.Faults, whole, diff)
			}
			at = r.Place()
			if diff := cmp.Diff(rows[0], at.Columns); diff != "" {
				t.Fatal("columns (-want +got):", diff)
			}
		}
		if r, err := NewReader(bytes.NewReader(whole[at.Offset:]), CSV, at); at.Offset > 0 {
			if _, end := r.Next(); err != nil || end != io.EOF {
				t.Fatal(err, end)
			}
		}
	})
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"=HYPERLINK(1)": "'=HYPERLINK(1)", "+1+cmd": "'+1+cmd", "-1-1": "'-1-1", "@SUM(1)": "'@SUM(1)", "\t=1": "'\t=1", "'=x": "''=x", "-": "'-",
		"+8613800138000": "+8613800138000", "-12.50": "-12.50", "a=b": "a=b", "": "", "'": "'", "'tis": "'tis",
	} {
		if got := escape(cell); got != want {
			t.Errorf("%q: %q", cell, got)
		}
		if got := unescape(escape(cell)); got != cell {
			t.Errorf("%q comes back as %q", cell, got)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{"to,name\na,b\n", "to\n\"a\nb\"\n", "\ufeffto;x\r\n\"\"\"\";\n", "to\n\xd5\xc5\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, format := range []Format{CSV, JSONL} {
			r, err := NewReader(bytes.NewReader(file), format, Place{})
			if err != nil {
				continue
			}
			for last := int64(-1); ; {
				row, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if at := r.Place(); at.Offset <= last || at.Offset > int64(len(file)) || at.Row != row.N {
					t.Fatal("no way on from", at)
				}
				last = r.Place().Offset
			}
			if r.Place().Offset != int64(len(file)) {
				t.Fatal("ended at", r.Place().Offset, "of", len(file))
			}
		}
	})
}
