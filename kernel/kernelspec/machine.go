package kernelspec

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// Machine is what the rules of Jupyter's folders depend on.
//
// Source: jupyter_core 5, paths.py, and jupyter_client, kernelspec.py.
type Machine struct {
	OS   string                   // as runtime.GOOS names it
	Home string                   // the user's; "" if there is none
	Env  func(name string) string // environment variables
	Root string                   // what stands before folders of the system; "" but in tests
}

// Here is the machine on which the program runs.
func Here() Machine {
	home, _ := os.UserHomeDir()
	return Machine{OS: runtime.GOOS, Home: home, Env: os.Getenv}
}

// UserDir is Jupyter's data folder of the present user: JUPYTER_DATA_DIR, else
// the platform's usual place.
func (m Machine) UserDir() (string, error) {
	if d := m.Env("JUPYTER_DATA_DIR"); d != "" {
		return d, nil
	}
	if m.OS == "windows" && m.Env("APPDATA") != "" {
		return filepath.Join(m.Env("APPDATA"), "jupyter"), nil
	}
	if d := m.Env("XDG_DATA_HOME"); d != "" && m.OS != "windows" && m.OS != "darwin" {
		return filepath.Join(d, "jupyter"), nil
	}
	if m.Home == "" {
		return "", errors.New("kernelspec: there is no home folder: set HOME, or use --prefix")
	}
	if config := m.Env("JUPYTER_CONFIG_DIR"); m.OS == "windows" && config != "" {
		return filepath.Join(config, "data"), nil
	}
	return filepath.Join(m.Home, m.homeDir()), nil
}

// homeDir is Jupyter's usual data folder below the home folder.
func (m Machine) homeDir() string {
	switch m.OS {
	case "darwin":
		return filepath.Join("Library", "Jupyter")
	case "windows": // where APPDATA is not set
		return filepath.Join(".jupyter", "data")
	}
	return filepath.Join(".local", "share", "jupyter")
}

// systemDirs are the data folders for all users.
func (m Machine) systemDirs() []string {
	if m.OS == "windows" {
		if d := m.Env("PROGRAMDATA"); d != "" {
			return []string{filepath.Join(d, "jupyter")}
		}
		return nil
	}
	return []string{m.Root + "/usr/local/share/jupyter", m.Root + "/usr/share/jupyter"}
}

// listed are the folders that JUPYTER_PATH names.
func (m Machine) listed() (dirs []string) {
	separator := ":"
	if m.OS == "windows" {
		separator = ";"
	}
	for _, d := range strings.Split(m.Env("JUPYTER_PATH"), separator) {
		if d != "" {
			dirs = append(dirs, filepath.Clean(d))
		}
	}
	return dirs
}

// dirs are the folders in which a front end of the Python at prefix looks for
// kernels, first to last; the first kernel of a name is the one that it starts.
// A prefix of "" is a Python that is not known.
func (m Machine) dirs(prefix string) []string {
	var user, env []string
	if d, err := m.UserDir(); err == nil {
		user = append(user, d)
	}
	inVenv := prefix != "" && isFile(filepath.Join(prefix, "pyvenv.cfg"))
	if !inVenv {
		user = append(user, m.sites()...)
	}
	if prefix != "" {
		env = without([]string{PrefixDir(prefix)}, m.systemDirs())
	}
	if preferred(m.Env("JUPYTER_PREFER_ENV_PATH"), inVenv) {
		user, env = env, user
	}
	all := slices.Concat(m.listed(), user, env, m.systemDirs())
	for i, d := range all {
		all[i] = filepath.Join(d, "kernels")
	}
	if d := m.Env("IPYTHONDIR"); d != "" {
		all = append(all, filepath.Join(d, "kernels"))
	} else if m.Home != "" {
		all = append(all, filepath.Join(m.Home, ".ipython", "kernels"))
	}
	return unique(all)
}

// preferred is what Jupyter takes from JUPYTER_PREFER_ENV_PATH: whether the
// folders of a Python come before those of the user. Unset, a virtual
// environment's do.
func preferred(value string, inVenv bool) bool {
	if value == "" {
		return inVenv
	}
	return !slices.Contains([]string{"no", "n", "false", "off", "0", "0.0"}, strings.ToLower(value))
}

// sites are the data folders of packages that Python's pip install --user has
// put below the home folder.
func (m Machine) sites() []string {
	if d := m.Env("PYTHONUSERBASE"); d != "" {
		return []string{PrefixDir(d)}
	}
	switch {
	case m.OS == "windows" && m.Env("APPDATA") != "":
		return []string{PrefixDir(filepath.Join(m.Env("APPDATA"), "Python"))}
	case m.Home == "" || m.OS == "windows":
		return nil
	case m.OS == "darwin": // a folder for each version of Python
		all, _ := filepath.Glob(filepath.Join(m.Home, "Library", "Python", "*", "share", "jupyter"))
		return append(all, PrefixDir(filepath.Join(m.Home, ".local")))
	}
	return []string{PrefixDir(filepath.Join(m.Home, ".local"))}
}

// codeDirs are the folders in which VS Code's Jupyter extension looks for
// kernels that are not Python's. JUPYTER_DATA_DIR and XDG_DATA_HOME are not
// heeded there, and kernels in PROGRAMDATA are hidden until they are trusted.
//
// Source: microsoft/vscode-jupyter, jupyterPaths.node.ts and
// trustedKernelPaths.node.ts.
func (m Machine) codeDirs() []string {
	all := m.listed()
	if m.OS != "windows" {
		all = append(all, m.Root+"/usr/share/jupyter", m.Root+"/usr/local/share/jupyter")
	}
	if m.OS == "windows" && m.Home != "" {
		all = append(all, filepath.Join(m.Home, "AppData", "Roaming", "jupyter"))
	} else if m.Home != "" {
		all = append(all, filepath.Join(m.Home, m.homeDir()))
	}
	for i, d := range all {
		all[i] = filepath.Join(d, "kernels")
	}
	return unique(all)
}

// program is the path of a program that a shell would start by its name, "" if
// there is none.
func (m Machine) program(name string) string {
	separator, ending := ":", ""
	if m.OS == "windows" {
		separator, ending = ";", ".exe"
	}
	for _, d := range strings.Split(m.Env("PATH"), separator) {
		if p := filepath.Join(d, name+ending); d != "" && runnable(m.OS, p) == nil {
			return p
		}
	}
	return ""
}

// throughShell is how pip starts a Python whose path is too long for a first line
// of its own.
var throughShell = regexp.MustCompile(`(?m)^'''exec' "?([^"\n]+?)"? "\$0"`)

// prefixOf is the prefix of the Python that runs a script, from its first line;
// "" if it is another language's. A program of Windows lies in the folder Scripts
// of its Python.
func (m Machine) prefixOf(script string) string {
	head := make([]byte, 1024)
	f, err := os.Open(script)
	if err != nil {
		return ""
	}
	defer f.Close()
	n, _ := f.Read(head)
	text, ok := strings.CutPrefix(string(head[:n]), "#!")
	if !ok {
		if m.OS == "windows" {
			return filepath.Dir(filepath.Dir(script))
		}
		return ""
	}
	line, rest, _ := strings.Cut(text, "\n")
	words := strings.Fields(line)
	if found := throughShell.FindStringSubmatch(rest); found != nil {
		words = found[1:]
	}
	if len(words) > 1 && filepath.Base(words[0]) == "env" {
		words[0] = m.program(words[1])
	}
	if len(words) == 0 || !strings.Contains(filepath.Base(words[0]), "py") {
		return ""
	}
	return filepath.Dir(filepath.Dir(words[0]))
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// unique is a list less its repetitions.
func unique(list []string) []string {
	return without(list, nil)
}

// without is a list less its repetitions and less others.
func without(list, others []string) (left []string) {
	for _, s := range list {
		if !slices.Contains(others, s) && !slices.Contains(left, s) {
			left = append(left, s)
		}
	}
	return left
}
