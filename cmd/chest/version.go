package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is set by the release build: -ldflags "-X main.version=…". Without it
// main asks the Go command's record of the build.
var version = development

// development is the version of a build of no release and of no clean commit.
const development = "dev"

// builtVersion is the version of a build: what the linker set, else that of the
// module, as go install …@v1.2.3 records it, or of the commit of a clean clone.
func builtVersion(linked string, info *debug.BuildInfo) string {
	if linked != development || info == nil {
		return linked
	}
	if v := info.Main.Version; v != "" && v != "(devel)" && !strings.HasSuffix(v, "+dirty") {
		return v
	}
	return development
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Tell the version, and what does not work on this platform",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printVersion(cmd.OutOrStdout(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

func printVersion(out io.Writer, system, arch string) {
	fmt.Fprintf(out, "chest version %s, %s, %s/%s\n", version, runtime.Version(), system, arch)
	for _, l := range limits {
		if l.on(system, arch) {
			fmt.Fprintf(out, "%s: %s\n", l.what, l.sentence)
		}
	}
}

// limit is something that does not work on some platforms.
type limit struct {
	on             func(system, arch string) bool
	what, sentence string
}

func notLinux(system, _ string) bool  { return system != "linux" }
func onWindows(system, _ string) bool { return system == "windows" }

// limits are what chest version tells of a platform.
var limits = []limit{
	{func(system, arch string) bool { return system != "linux" || arch != "amd64" && arch != "arm64" },
		"GPU", "not on this platform; models train on the CPU. NVIDIA's driver is loaded on linux/amd64 and linux/arm64"},
	{func(_, arch string) bool { return arch != "amd64" },
		"vector kernels", "none for this processor: plain Go code does their work, more slowly"},
	{notLinux,
		"memory of cells", "not watched on this platform; chest kernel --memory steers the garbage collector only"},
	{onWindows, "chest sweep --engine slurm", "not on Windows; submit from a login node of the cluster"},
	{onWindows, "!command in cells", "needs sh on the PATH, as Git for Windows has it; $ program arguments needs none"},
	{onWindows, "%time", "tells no processor time on Windows"},
}
