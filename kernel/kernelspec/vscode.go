package kernelspec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// codes are the programs of VS Code and of its free builds, with the folders
// below the home folder that hold their extensions.
var codes = []struct{ program, home string }{
	{"code", ".vscode"},
	{"code-insiders", ".vscode-insiders"},
	{"codium", ".vscode-oss"},
	{"", ".vscode-server"}, // the far end of a remote window has no program on the PATH
}

// jupyterExtension is the name of VS Code's extension for notebooks.
const jupyterExtension = "ms-toolsai.jupyter"

// code looks for VS Code and its Jupyter extension. What can be seen from outside
// is the program, the extension's folder, and whether the kernel lies in a folder
// that the extension lists.
func (m Machine) code() FrontEnd {
	f := FrontEnd{Name: "VS Code", Dirs: m.codeDirs()}
	for _, c := range codes {
		program, dir := "", ""
		if c.program != "" {
			program = m.program(c.program)
		}
		if m.Home != "" {
			dir = extension(filepath.Join(m.Home, c.home, "extensions"))
		}
		if dir != "" {
			f.Where, f.Lacks = dir, ""
			return f
		}
		if program != "" && f.Where == "" {
			f.Where = program
			f.Lacks = fmt.Sprintf("the extension %s is not in %s; run: %s --install-extension %s", jupyterExtension, filepath.Join(m.Home, c.home, "extensions"), c.program, jupyterExtension)
		}
	}
	return f
}

// extension is the folder of the Jupyter extension, its name followed by a version;
// "" if there is none.
func extension(dir string) string {
	all, _ := os.ReadDir(dir)
	for _, e := range all {
		version, ok := strings.CutPrefix(strings.ToLower(e.Name()), jupyterExtension+"-")
		if ok && version != "" && version[0] >= '0' && version[0] <= '9' && e.IsDir() {
			return filepath.Join(dir, e.Name())
		}
	}
	return ""
}
