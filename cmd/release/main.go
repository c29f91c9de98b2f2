// Command release builds chest for all platforms and packs archives:
//
//	go run ./cmd/release -version v0.1.0 -o out/release
//
// Each has the program, README, LICENSE, the licences of what is linked into it,
// man pages and completions for shells; SHA256SUMS is beside them. One commit, built
// by one version of Go, gives the same bytes on every machine and in every folder: no
// path, no clock and no name of a user is in them. It runs at the root of a clone.
package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// platforms are those that are released.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64"}

// validVersion is a version as the Go command has it, such as v0.1.0 or v0.2.0-rc.1.
var validVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// release is what is built.
type release struct {
	version string
	out     string    // folder of the archives
	stamp   time.Time // of all files
	work    string    // folder of what is packed
}

func main() {
	version := flag.String("version", "", "of the release, such as v0.1.0")
	out := flag.String("o", "out/release", "folder of the archives")
	only := flag.String("platforms", strings.Join(platforms, ","), "what to build")
	dirty := flag.Bool("dirty", false, "build although files differ from the commit")
	flag.Parse()
	if err := run(*version, *out, strings.Split(*only, ","), *dirty); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(version, out string, platforms []string, dirty bool) error {
	if !validVersion.MatchString(version) {
		return fmt.Errorf("-version %q; want one such as v0.1.0 or v0.2.0-rc.1 (make release VERSION=v0.1.0)", version)
	}
	if changed, err := git("status", "--porcelain"); !dirty && (err != nil || changed != "") {
		return errors.Join(fmt.Errorf("files differ from the commit: commit them, or give -dirty\n%s", changed), err)
	}
	stamp, err := commitTime()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "chest-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	r := release{version, out, stamp, work}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	return r.all(platforms)
}

// all builds the archives of platforms and writes their sums.
func (r release) all(platforms []string) error {
	papers, err := r.papers()
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, p := range platforms {
		begin := time.Now()
		archive, err := r.pack(p, papers)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		sum, size, err := sumOf(archive)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, filepath.Base(archive))
		fmt.Printf("%s: %.1f MB, %.0f s\n", archive, float64(size)/1e6, time.Since(begin).Seconds())
	}
	fmt.Printf("built by %s; the same commit gives the same bytes by the same Go\n", runtime.Version())
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), sums.Bytes(), 0o644)
}

// pack builds the program for a platform and packs it with the papers.
func (r release) pack(platform string, papers []file) (archive string, err error) {
	system, arch, ok := strings.Cut(platform, "/")
	if !ok {
		return "", errors.New("want a platform such as linux/amd64")
	}
	program, err := r.program(system, arch)
	if err != nil {
		return "", err
	}
	licences, err := licences(system, arch)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	top := fmt.Sprintf("chest-%s-%s-%s", r.version, system, arch)
	files := append([]file{{filepath.Base(program), text, 0o755}, {"THIRD_PARTY_LICENSES.txt", licences, 0o644}}, papers...)
	if system == "windows" {
		archive = filepath.Join(r.out, top+".zip")
		return archive, writeZip(archive, top, r.stamp, files)
	}
	archive = filepath.Join(r.out, top+".tar.gz")
	return archive, writeTar(archive, top, r.stamp, files)
}

// program builds the program for a platform, unless that is done.
func (r release) program(system, arch string) (path string, err error) {
	path = filepath.Join(r.work, system+"-"+arch, "chest")
	if system == "windows" {
		path += ".exe"
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+r.version, "-o", path, "./cmd/chest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+system, "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
}

// commitTime is the time of all files: SOURCE_DATE_EPOCH, else that of the commit.
func commitTime() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		var err error
		if text, err = git("log", "-1", "--format=%ct"); err != nil {
			return time.Time{}, fmt.Errorf("the time of the commit: %w; set SOURCE_DATE_EPOCH outside of a clone", err)
		}
	}
	seconds, err := strconv.ParseInt(cmp.Or(text, "no time"), 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

func git(args ...string) (string, error) {
	out, err := exec.Command("git", args...).Output()
	return strings.TrimSpace(string(out)), err
}
