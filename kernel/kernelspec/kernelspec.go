// Package kernelspec registers chest with Jupyter: the folder that tells a
// front end how to start the kernel, with the ECharts library beside it.
package kernelspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/chestlab/chest/internal/echarts"
)

// Name is the kernel's usual name in notebooks and on Jupyter's command line.
const Name = "chest"

// DisplayName is the name that front ends show.
const DisplayName = "Go (chest)"

// spec is kernel.json.
type spec struct {
	Argv          []string       `json:"argv"`
	DisplayName   string         `json:"display_name"`
	Language      string         `json:"language"`
	InterruptMode string         `json:"interrupt_mode"`
	Metadata      map[string]any `json:"metadata"`
}

// validName is what Jupyter takes for the name of a kernel.
var validName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// Install writes the kernelspec for the program binary into
// dataDir/kernels/NAME and returns that folder. What stood there before is
// replaced only when all of the new is written. Another name than Name is an
// alias: notebooks made for a kernel of that name open with chest.
//
// Replaces tells beforehand what will be replaced.
func Install(dataDir, name, binary string) (string, error) {
	if !validName.MatchString(name) || strings.Trim(name, ".") == "" {
		return "", fmt.Errorf("kernelspec: %q cannot be the name of a kernel: letters, digits, dot, dash and underscore only", name)
	}
	dir := filepath.Join(dataDir, "kernels", name)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("kernelspec: %w; choose another place with --prefix", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".chest-")
	if err != nil {
		return "", fmt.Errorf("kernelspec: %w; choose another place with --prefix", err)
	}
	defer os.RemoveAll(tmp)
	if err := write(tmp, name, binary); err != nil {
		return "", fmt.Errorf("kernelspec: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("kernelspec: replacing the old one: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return "", fmt.Errorf("kernelspec: %w", err)
	}
	return dir, nil
}

// Replaces is the program of another maker whose kernelspec Install would replace;
// "" if there is none.
func Replaces(dataDir, name string) string {
	dir := filepath.Join(dataDir, "kernels", name)
	if !isFile(filepath.Join(dir, "kernel.json")) {
		return ""
	}
	if program, ours := starts(dir); !ours && name != Name {
		return program
	}
	return ""
}

// write fills dir with the files of the kernelspec.
func write(dir, name, binary string) error {
	j, err := text(name, binary)
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.json"), j, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, echarts.FileName), []byte(echarts.Library), 0o644)
}

// text is the kernel.json that starts the program binary.
func text(name, binary string) ([]byte, error) {
	shown := DisplayName
	if name != Name {
		shown = "Go (chest as " + name + ")"
	}
	j, err := json.MarshalIndent(spec{
		Argv:        []string{binary, "kernel", "{connection_file}"},
		DisplayName: shown, Language: "go", InterruptMode: "message",
		Metadata: map[string]any{"debugger": false},
	}, "", "  ")
	return append(j, '\n'), err
}

// Uninstall removes the kernelspec of a name below dataDir and says what it
// started, "" if there was none. A kernelspec that another program wrote stays: that
// is an error.
func Uninstall(dataDir, name string) (program string, err error) {
	if !validName.MatchString(name) || strings.Trim(name, ".") == "" {
		return "", nil
	}
	dir := filepath.Join(dataDir, "kernels", name)
	if _, err := os.Lstat(filepath.Join(dir, "kernel.json")); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	program, ours := starts(dir)
	if !ours && name != Name {
		return "", fmt.Errorf("kernelspec: %s is another program's, %s; it stays: to be rid of it, remove the folder", dir, program)
	}
	return program, os.RemoveAll(dir)
}

// starts is the program of the kernelspec in dir, and whether chest wrote it.
func starts(dir string) (program string, ours bool) {
	var s spec
	raw, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil || json.Unmarshal(raw, &s) != nil || len(s.Argv) == 0 {
		return "a program that its kernel.json does not name", false
	}
	return s.Argv[0], s.ours()
}

// UserDir is Jupyter's data folder of the present user: JUPYTER_DATA_DIR, else
// the platform's usual place.
func UserDir() (string, error) { return Here().UserDir() }

// PrefixDir is Jupyter's data folder below an installation prefix such as
// /usr/local or a virtual environment.
func PrefixDir(prefix string) string { return filepath.Join(prefix, "share", "jupyter") }
