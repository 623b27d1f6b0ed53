package audience

import (
	"encoding/csv"
	"io"
	"strings"
)

// A spreadsheet takes a cell that begins with one of these for a formula, and a formula can read other cells
// and send them away. https://owasp.org/www-community/attacks/CSV_Injection
const formulas = "=+-@\t\r"

// formula tells whether a cell, behind any quotes that were put before it, may be one. A number is none.
func formula(cell string) bool {
	bare := strings.TrimLeft(cell, "'")
	return bare != "" && strings.IndexByte(formulas, bare[0]) >= 0 && (strings.Trim(bare[1:], "0123456789 .") != "" || len(bare) == 1)
}

// escape makes a cell that no spreadsheet computes; Reader takes the quote away again.
func escape(cell string) string {
	if formula(cell) {
		return "'" + cell
	}
	return cell
}

func unescape(cell string) string {
	if strings.HasPrefix(cell, "'") && formula(cell) {
		return cell[1:]
	}
	return cell
}

// WriteCSV writes rows as a file that spreadsheets and Reader read, and neither computes.
func WriteCSV(w io.Writer, rows ...[]string) error {
	out := csv.NewWriter(w)
	for _, cells := range rows {
		safe := make([]string, len(cells))
		for i, cell := range cells {
			safe[i] = escape(cell)
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
