// Package web is the operators' console: its source in TypeScript, and the built page that is embedded. The
// page is built by npm (see the Makefile); without it a placeholder is embedded, so Go needs no Node.
package web

import (
	"embed"
	"io/fs"
)

//go:embed dist
var dist embed.FS

// Files is the built page: index.html.gz and hashed assets; or placeholder.html alone.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // cannot happen: dist is a valid path
	}
	return files
}
