package providertest

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/tools/txtar"
)

// Count is how many cases and events a provider has, by what backs them.
type Count struct {
	Vendor      int // the comment names the vendor's page
	Unconfirmed int // it says UNCONFIRMED
}

// Cases counts those of a provider's folder: cases/*.txtar and testdata/events/*.txtar.
func Cases(fsys fs.FS) (Count, error) {
	var n Count
	for _, pattern := range []string{"cases/*.txtar", "testdata/events/*.txtar"} {
		files, err := fs.Glob(fsys, pattern)
		if err != nil {
			return n, err
		}
		for _, file := range files {
			data, err := fs.ReadFile(fsys, file)
			if err != nil {
				return n, err
			}
			a := txtar.Parse(data)
			vendor, err := backed(a)
			switch {
			case err != nil:
				return n, errors.Join(errors.New(path.Base(file)), err)
			case vendor:
				n.Vendor++
			default:
				n.Unconfirmed++
			}
		}
	}
	return n, nil
}

// backed tells whether a vendor's page backs a file.
func backed(a *txtar.Archive) (vendor bool, err error) {
	switch text := string(a.Comment); {
	case strings.Contains(text, unconfirmed):
		return false, nil
	case strings.Contains(text, "https://"):
		return true, nil
	}
	return false, errors.New("the comment must name the vendor's page or say " + unconfirmed)
}
