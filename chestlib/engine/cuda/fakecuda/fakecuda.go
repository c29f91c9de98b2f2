// Package fakecuda builds a library that looks like NVIDIA's driver and runs the
// GPU's kernels on the processor, from their own source: so that everything but
// the GPU itself is tested on machines that have none.
//
// It is slower than the processor's engine by far, and stricter than a driver:
// see src/driver.cpp. Settings go by the environment variable FAKECUDA or Reset.
package fakecuda

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

//go:embed src
var src embed.FS

// ErrNoCompiler says that there is no g++, or no Linux.
var ErrNoCompiler = errors.New("fakecuda: no g++ on Linux to build the fake driver with (apt-get install g++)")

// Path returns the path of the library, which is built if the directory for
// temporary files has none from the same sources.
func Path(kernels fs.FS) (string, error) {
	sum := sha256.New()
	for _, from := range []fs.FS{src, kernels} {
		err := fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(from, path)
			fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("chest-fakecuda-%d-%x", os.Getuid(), sum.Sum(nil)[:8]))
	path := filepath.Join(dir, "libcuda.so.1")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	work, err := os.MkdirTemp("", "chest-fakecuda-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	if _, err := Build(work, kernels); err != nil {
		return "", err
	}
	if err := os.Rename(work, dir); err != nil {
		if _, there := os.Stat(path); there != nil { // else another process was faster
			return "", err
		}
	}
	return path, nil
}

// Build writes libcuda.so.1 into dir, from the sources of the kernels, and
// returns its path. It takes some seconds.
func Build(dir string, kernels fs.FS) (path string, err error) {
	compiler, err := exec.LookPath("g++")
	if err != nil || runtime.GOOS != "linux" {
		return "", ErrNoCompiler
	}
	if err := unpack(dir, kernels); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "libcuda.so.1")
	args := []string{"-std=c++17", "-O2", "-ffp-contract=off", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-I", dir, "-o", path}
	if strings.Contains(flags(), " fma ") {
		args = append(args, "-mfma") // without it a fused multiply-add is a slow call
	}
	for _, f := range []string{"driver.cpp", "fibers.cpp", "kernels.cpp"} {
		args = append(args, filepath.Join(dir, f))
	}
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("fakecuda: g++: %w\n%s", err, out)
	}
	return path, nil
}

// flags are what the processor can do, as Linux tells.
func flags() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // elsewhere there is none
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "flags") {
			return strings.TrimSpace(line) + " "
		}
	}
	return ""
}

var definition = regexp.MustCompile(`(?m)^KERN2?\(\d+\) void (\w+)\(`)

// unpack writes all sources to dir, and table.inc, the list of kernels.
func unpack(dir string, kernels fs.FS) error {
	own, err := fs.Sub(src, "src")
	if err != nil {
		return err
	}
	var table bytes.Buffer
	for _, from := range []fs.FS{own, kernels} {
		files, err := fs.ReadDir(from, ".")
		if err != nil {
			return err
		}
		for _, f := range files {
			text, err := fs.ReadFile(from, f.Name())
			if err != nil {
				return err
			}
			if strings.HasSuffix(f.Name(), ".cu") {
				for _, m := range definition.FindAllSubmatch(text, -1) {
					fmt.Fprintf(&table, "KERNEL(%s)\n", m[1])
				}
			}
			if err := os.WriteFile(filepath.Join(dir, f.Name()), text, 0o600); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(dir, "table.inc"), table.Bytes(), 0o600)
}
