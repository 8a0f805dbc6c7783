package main

import (
	"cmp"
	"encoding/json/v2"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// buildInfo is what the binary knows of its own origin. The revision's fields
// are absent if it was built outside of a repository.
type buildInfo struct {
	Module   string `json:"module"`
	Version  string `json:"version"`
	Revision string `json:"revision,omitzero"`
	Time     string `json:"time,omitzero"`     // of the revision, RFC 3339
	Modified bool   `json:"modified,omitzero"` // the tree had changes on top of the revision
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

// readBuildInfo returns the facts about the running binary.
func readBuildInfo() buildInfo {
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		bi = new(debug.BuildInfo)
	}
	return summarize(bi)
}

func summarize(bi *debug.BuildInfo) buildInfo {
	info := buildInfo{
		Module:  bi.Main.Path,
		Version: cmp.Or(bi.Main.Version, "(devel)"),
		Go:      runtime.Version(),
		OS:      runtime.GOOS,
		Arch:    runtime.GOARCH,
	}
	for _, s := range bi.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Revision = s.Value
		case "vcs.time":
			info.Time = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		}
	}
	return info
}

// runVersion prints the same object as the route /version.
func runVersion(stdout, stderr io.Writer) int {
	line, err := json.Marshal(readBuildInfo())
	if err != nil {
		fmt.Fprintf(stderr, "api: version: %v\n", err)
		return exitError
	}
	fmt.Fprintf(stdout, "%s\n", line)
	return exitOK
}
