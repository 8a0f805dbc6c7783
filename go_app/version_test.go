package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestSummarize(t *testing.T) {
	platform := func(info buildInfo) buildInfo {
		info.Go, info.OS, info.Arch = runtime.Version(), runtime.GOOS, runtime.GOARCH
		return info
	}
	tests := []struct {
		name string
		bi   debug.BuildInfo
		want buildInfo
	}{
		{"nothing is known", debug.BuildInfo{}, platform(buildInfo{Version: "(devel)"})},
		{"outside of a repository",
			debug.BuildInfo{Main: debug.Module{Path: "example.com/api", Version: "(devel)"}},
			platform(buildInfo{Module: "example.com/api", Version: "(devel)"})},
		{"in a repository",
			debug.BuildInfo{
				Main: debug.Module{Path: "example.com/api", Version: "v1.2.3+dirty"},
				Settings: []debug.BuildSetting{
					{Key: "CGO_ENABLED", Value: "0"},
					{Key: "vcs.revision", Value: "0123abc"},
					{Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
					{Key: "vcs.modified", Value: "true"},
				},
			},
			platform(buildInfo{
				Module: "example.com/api", Version: "v1.2.3+dirty",
				Revision: "0123abc", Time: "2026-01-02T03:04:05Z", Modified: true,
			})},
		{"in a clean repository",
			debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.modified", Value: "false"}}},
			platform(buildInfo{Version: "(devel)", Revision: "0123abc"})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := summarize(&tt.bi); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
