package provider

import (
	"embed"
	"io/fs"
)

//go:embed */provider.yaml
var descriptors embed.FS

// Descriptors holds the provider.yaml of every coded provider, without its code.
func Descriptors() fs.FS { return descriptors }
