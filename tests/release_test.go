package tests

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestRelease packs the release of this platform twice, from two folders and at two
// places: the bytes are the same, the program inside tells its version, and the
// papers are there. With CHEST_RELEASE=1 it does so for all four platforms.
func TestRelease(t *testing.T) {
	platforms := runtime.GOOS + "/" + runtime.GOARCH
	if os.Getenv("CHEST_RELEASE") == "1" {
		platforms = "linux/amd64,linux/arm64,darwin/arm64,windows/amd64"
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	one, two := t.TempDir(), t.TempDir()
	pack(t, root, one, platforms)
	pack(t, copyTree(t, root), two, platforms)
	if a, b := read(t, filepath.Join(one, "SHA256SUMS")), read(t, filepath.Join(two, "SHA256SUMS")); a != b || strings.Count(a, "\n") != strings.Count(platforms, ",")+1 {
		t.Errorf("two builds of one tree:\n%s\n%s", a, b)
	}
	for _, p := range strings.Split(platforms, ",") {
		checkArchive(t, one, p)
	}
}

// pack runs the release in a folder.
func pack(t *testing.T, dir, out, platforms string) {
	t.Helper()
	cmd := exec.Command("go", "run", "./cmd/release", "-version", "v0.0.1", "-dirty", "-o", out, "-platforms", platforms)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
	if r := runCommand(t, cmd, ""); r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// copyTree copies the files of the repository to another place.
func copyTree(t *testing.T, root string) string {
	t.Helper()
	cmd := exec.Command(need(t, "git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	r := runCommand(t, cmd, "")
	if r.code != 0 {
		missing(t, "this is no clone: git ls-files: "+r.stderr)
	}
	to := t.TempDir()
	for _, name := range strings.Split(strings.Trim(r.stdout, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // removed, and not yet told git
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// checkArchive looks into the archive of a platform.
func checkArchive(t *testing.T, dir, platform string) {
	t.Helper()
	top := "chest-v0.0.1-" + strings.ReplaceAll(platform, "/", "-")
	var files map[string][]byte
	program := "chest"
	if strings.HasPrefix(platform, "windows/") {
		files, program = unzip(t, filepath.Join(dir, top+".zip")), "chest.exe"
	} else {
		files = untar(t, filepath.Join(dir, top+".tar.gz"))
	}
	for _, name := range []string{program, "LICENSE", "README.md", "THIRD_PARTY_LICENSES.txt", "completions/chest.bash", "completions/_chest", "completions/chest.fish", "completions/chest.ps1", "man/man1/chest.1", "man/man1/chest-run.1"} {
		if len(files[top+"/"+name]) < 500 {
			t.Errorf("%s: %s has %d bytes", top, name, len(files[top+"/"+name]))
		}
	}
	for _, module := range []string{"Apache ECharts", "github.com/traefik/yaegi", "gonum.org/v1/gonum", "The Go standard library"} {
		_, after, _ := bytes.Cut(files[top+"/THIRD_PARTY_LICENSES.txt"], []byte(module))
		if text := after[:min(len(after), 3000)]; !bytes.Contains(text, []byte("Redistribution and use")) && !bytes.Contains(text, []byte("Apache License")) {
			t.Errorf("%s: no licence of %s", top, module)
		}
	}
	root, err := filepath.Abs("..")
	if err != nil || bytes.Contains(files[top+"/"+program], []byte(root+"/")) {
		t.Errorf("%s: the program holds the path %s", top, root)
	}
	if platform == runtime.GOOS+"/"+runtime.GOARCH {
		path := filepath.Join(t.TempDir(), "program.exe")
		if err := os.WriteFile(path, files[top+"/"+program], 0o755); err != nil {
			t.Fatal(err)
		}
		if r := runCommand(t, exec.Command(path, "--version"), ""); r.stdout != "chest version v0.0.1\n" {
			t.Errorf("%s: %q", top, r.stdout)
		}
	}
}

// untar reads a .tar.gz; the program must be executable.
func untar(t *testing.T, path string) map[string][]byte {
	t.Helper()
	zr, err := gzip.NewReader(strings.NewReader(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return files
		}
		text, err2 := io.ReadAll(tr)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if files[h.Name] = text; strings.HasSuffix(h.Name, "/chest") && h.Mode != 0o755 || h.ModTime.Unix() != 1700000000 || h.Uname != "" {
			t.Errorf("%s: mode %o of %s at %v", h.Name, h.Mode, h.Uname, h.ModTime)
		}
	}
}

func unzip(t *testing.T, path string) map[string][]byte {
	t.Helper()
	zr, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer zr.Close()
	files := map[string][]byte{}
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return files
}

// TestReleaseRefuses: a version that is none.
func TestReleaseRefuses(t *testing.T) {
	cmd := exec.Command("go", "run", "./cmd/release", "-version", "0.1")
	cmd.Dir = ".."
	if r := runCommand(t, cmd, ""); r.code == 0 || !strings.Contains(r.stderr, "want one such as v0.1.0") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
}
