package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// file is a file of an archive.
type file struct {
	name string // with slashes, below the archive's one folder
	text []byte
	mode os.FileMode
}

// papers are the files that all archives have: README, LICENSE, man pages and
// completions. A program for this machine writes the last two.
func (r release) papers() ([]file, error) {
	var all []file
	for _, name := range []string{"LICENSE", "README.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%w; release runs at the root of a clone", err)
		}
		all = append(all, file{name, text, 0o644})
	}
	program, err := r.program(runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	for _, shell := range []struct{ name, file string }{{"bash", "chest.bash"}, {"zsh", "_chest"}, {"fish", "chest.fish"}, {"powershell", "chest.ps1"}} {
		text, err := exec.Command(program, "completion", shell.name).Output()
		if err != nil {
			return nil, fmt.Errorf("chest completion %s: %w", shell.name, err)
		}
		all = append(all, file{"completions/" + shell.file, text, 0o644})
	}
	pages, err := r.pages(program)
	return append(all, pages...), err
}

// pages are the man pages that the program writes. It is an error if that of
// chest itself is not among them.
func (r release) pages(program string) (all []file, err error) {
	dir := filepath.Join(r.work, "man")
	cmd := exec.Command(program, "docs", "--man", dir)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(r.stamp.Unix(), 10))
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("chest docs --man: %w\n%s", err, out)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, filepath.Join(dir, "chest.1")) {
		return nil, fmt.Errorf("chest docs --man wrote %d pages, and no chest.1: a release has all man pages", len(names))
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, file{"man/man1/" + filepath.Base(name), text, 0o644})
	}
	return all, nil
}

// licence is the name of a file that states a licence.
var licence = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents)`)

// licences are the licences of Go, of each module linked into the program for a
// platform, and of the JavaScript in it. A module without one is an error.
func licences(system, arch string) ([]byte, error) {
	places, err := modules(system, arch)
	if err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	places = slices.Concat([]place{{"The Go standard library, " + runtime.Version(), strings.TrimSpace(string(root))}, {"Apache ECharts and zrender, in internal/echarts", "internal/echarts"}}, places)
	var b bytes.Buffer
	b.WriteString("What is linked into chest, and its licences. chest itself: LICENSE.\n")
	for _, p := range places {
		if err := p.write(&b); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// place is where a licence lies.
type place struct{ name, dir string }

// write copies the licences in the folder.
func (p place) write(b *bytes.Buffer) error {
	all, err := os.ReadDir(p.dir)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	n := 0
	for _, e := range all {
		if !licence.MatchString(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.dir, e.Name()))
		if err != nil {
			return err
		}
		n++
		fmt.Fprintf(b, "\n%[1]s\n%[2]s: %[3]s\n%[1]s\n\n%[4]s\n", strings.Repeat("=", 78), p.name, e.Name(), bytes.TrimSpace(text))
	}
	if n == 0 {
		return fmt.Errorf("%s has no licence in %s", p.name, p.dir)
	}
	return nil
}

// modules are the modules that the program for a platform needs, by name.
func modules(system, arch string) (all []place, err error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/chest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+system, "GOARCH="+arch)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if m := p.Module; m != nil && !m.Main {
			all = append(all, place{m.Path + " " + m.Version, m.Dir})
		}
	}
	slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.name, b.name) })
	return slices.Compact(all), nil
}
