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
	"runtime"
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

// write fills dir with the files of the kernelspec.
func write(dir, name, binary string) error {
	shown := DisplayName
	if name != Name {
		shown = "Go (chest as " + name + ")"
	}
	j, err := json.MarshalIndent(spec{
		Argv:        []string{binary, "kernel", "{connection_file}"},
		DisplayName: shown, Language: "go", InterruptMode: "message",
		Metadata: map[string]any{"debugger": false},
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.json"), append(j, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, echarts.FileName), []byte(echarts.Library), 0o644)
}

// Uninstall removes the kernelspec of a name below dataDir and says whether
// there was one.
func Uninstall(dataDir, name string) (bool, error) {
	if !validName.MatchString(name) || strings.Trim(name, ".") == "" {
		return false, nil
	}
	dir := filepath.Join(dataDir, "kernels", name)
	if _, err := os.Stat(filepath.Join(dir, "kernel.json")); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, os.RemoveAll(dir)
}

// UserDir is Jupyter's data folder of the present user: JUPYTER_DATA_DIR, else
// the platform's usual place.
func UserDir() (string, error) {
	if d := os.Getenv("JUPYTER_DATA_DIR"); d != "" {
		return d, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("kernelspec: no home folder: %w; use --prefix", err)
	}
	switch runtime.GOOS {
	case "darwin":
		return filepath.Join(home, "Library", "Jupyter"), nil
	case "windows":
		if d := os.Getenv("APPDATA"); d != "" {
			return filepath.Join(d, "jupyter"), nil
		}
	}
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "jupyter"), nil
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

// PrefixDir is Jupyter's data folder below an installation prefix such as
// /usr/local or a virtual environment.
func PrefixDir(prefix string) string { return filepath.Join(prefix, "share", "jupyter") }
