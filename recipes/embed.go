// Package recipes holds the providers that are described rather than coded: a folder each, with a
// recipe.yaml and its cases. It holds data only; package recipe is the engine.
package recipes

import (
	"embed"
	"io/fs"
)

//go:embed */recipe.yaml
var files embed.FS

// FS holds NAME/recipe.yaml of every recipe.
func FS() fs.FS { return files }
