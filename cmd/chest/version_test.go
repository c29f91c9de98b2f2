package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuiltVersion(t *testing.T) {
	of := func(v string) *debug.BuildInfo { return &debug.BuildInfo{Main: debug.Module{Version: v}} }
	for _, c := range []struct {
		linked string
		info   *debug.BuildInfo
		want   string
	}{
		{"v0.1.0", of("v0.0.9"), "v0.1.0"}, // a release
		{"dev", of("v0.1.0"), "v0.1.0"},    // go install …@v0.1.0
		{"dev", of("v0.0.0-20260102030405-0123456789ab"), "v0.0.0-20260102030405-0123456789ab"},
		{"dev", of("v0.0.0-20260102030405-0123456789ab+dirty"), "dev"},
		{"dev", of("(devel)"), "dev"}, // go run
		{"dev", of(""), "dev"},
		{"dev", nil, "dev"},
	} {
		if got := builtVersion(c.linked, c.info); got != c.want {
			t.Errorf("%q, %+v: %q, want %q", c.linked, c.info, got, c.want)
		}
	}
}

// TestVersionTellsLimits: each released platform tells what does not work on it.
func TestVersionTellsLimits(t *testing.T) {
	for _, c := range []struct{ system, arch, want string }{
		{"linux", "amd64", ""},
		{"linux", "arm64", "vector kernels"},
		{"darwin", "arm64", "GPU,vector kernels,memory of cells"},
		{"windows", "amd64", "GPU,memory of cells,chest sweep --engine slurm,!command in cells,%time"},
	} {
		var out strings.Builder
		printVersion(&out, c.system, c.arch)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		var got []string
		for _, l := range lines[1:] {
			what, _, _ := strings.Cut(l, ": ")
			got = append(got, what)
		}
		if strings.Join(got, ",") != c.want || !strings.HasSuffix(lines[0], c.system+"/"+c.arch) {
			t.Errorf("%s/%s:\n%s", c.system, c.arch, out.String())
		}
	}
}
