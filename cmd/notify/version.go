package main

import (
	"cmp"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print which build this is",
		Example: `  notify version
  notify version --json`,
		Args: takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			build, _ := debug.ReadBuildInfo()
			out := struct {
				Version  string `json:"version"`
				Revision string `json:"revision,omitzero"`
				Time     string `json:"time,omitzero"`
				Modified bool   `json:"modified,omitzero"`
				Go       string `json:"go"`
			}{Version: version()}
			if build != nil {
				out.Go = build.GoVersion
				for _, b := range build.Settings {
					switch b.Key {
					case "vcs.revision":
						out.Revision = b.Value
					case "vcs.time":
						out.Time = b.Value
					case "vcs.modified":
						out.Modified = b.Value == "true"
					}
				}
			}
			if s.json {
				return s.data(out)
			}
			s.say("notify %s", out.Version)
			for _, more := range some(out.Revision, out.Time, out.Go) {
				s.say(" %s", more)
			}
			s.say("\n")
			return nil
		},
	}
}

// version is the module's, "devel" where it was built in a checkout without one.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok || build.Main.Version == "(devel)" {
		return "devel"
	}
	return cmp.Or(build.Main.Version, "devel")
}
