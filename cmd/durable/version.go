package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

type version struct {
	Version  string `json:"version"` // of the module; "(devel)" when it was built in a checkout
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
}

func versionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Tell the version of this command",
		Example: "  durable version -o json",
		Args:    between(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			v := versionOf(debug.ReadBuildInfo())
			return s.printer().One(v, v.Version, func(w io.Writer) {
				fmt.Fprintf(w, "durable %s %s\n", v.Version, v.Go)
			})
		},
	}
}

func versionOf(info *debug.BuildInfo, ok bool) version {
	v := version{Version: "(unknown)", Go: runtime.Version()}
	if !ok {
		return v
	}
	v.Version = info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v.Revision = setting.Value
		}
	}
	return v
}
