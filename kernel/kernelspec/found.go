package kernelspec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/chestlab/chest/internal/echarts"
)

// Found is a kernelspec that lies in a folder where front ends look.
type Found struct {
	Name    string // of the kernel: its folder's, in lower case as Jupyter has it
	Dir     string // its folder
	Program string // what it starts
	Version string // what the program says of itself, if it is chest
	Self    bool   // it starts the program that asks
	Ours    bool   // chest wrote it
	Problem string // why no front end can start it, and what to do; "" if one can
	Note    string // what else to know; "" if nothing

	user string // Jupyter's data folder of the user
}

// read reads the kernelspec in dir. self is the program that asks; ask asks
// another chest for its version.
func read(m Machine, dir, self string, ask func(program string) (string, error)) Found {
	f := Found{Name: strings.ToLower(filepath.Base(dir)), Dir: dir}
	f.user, _ = m.UserDir()
	raw, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	var s spec
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err == nil && len(s.Argv) == 0 {
		err = errors.New("no argv")
	}
	if err != nil {
		f.Ours = f.Name == Name
		f.Problem = fmt.Sprintf("kernel.json cannot be read (%v); write it again: %s", err, f.install())
		return f
	}
	f.Ours, f.Program = s.ours(), s.Argv[0]
	if f.Problem = f.start(m); f.Problem != "" || !f.Ours {
		return f
	}
	if f.Self = sameFile(f.Program, self); f.Self {
		f.Note = f.age(raw)
		return f
	}
	if f.Version, err = ask(f.Program); err != nil {
		f.Problem = fmt.Sprintf("%s does not answer as chest (%v); register this one: %s", f.Program, err, f.install())
	}
	return f
}

// ours says whether chest wrote the kernelspec: it starts a program by the
// argument "kernel" and is shown as chest.
func (s spec) ours() bool {
	return len(s.Argv) > 1 && s.Argv[1] == "kernel" && strings.HasPrefix(s.DisplayName, "Go (chest")
}

// start finds the program and says what is wrong with it.
func (f *Found) start(m Machine) string {
	if !strings.ContainsAny(f.Program, `/\`) {
		p := m.program(f.Program)
		if p == "" {
			return fmt.Sprintf("it starts %q, which is not on the PATH; %s", f.Program, f.remedy())
		}
		f.Program = p
	}
	err := runnable(m.OS, f.Program)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("%s is not there: it was moved or removed; %s", f.Program, f.remedy())
	case err != nil:
		return fmt.Sprintf("%s cannot be started (%v); %s", f.Program, err, f.remedy())
	}
	return ""
}

func (f *Found) remedy() string {
	if f.Ours {
		return "run again: " + f.install()
	}
	return "the kernelspec is another program's: install that again, or remove the folder " + f.Dir
}

// runnable says why a file cannot be started as a program; nil if it can.
func runnable(system, path string) error {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case st.IsDir():
		return errors.New("it is a folder")
	case system != "windows" && st.Mode()&0o111 == 0:
		return errors.New("it is not executable")
	}
	return nil
}

// age says whether the kernelspec is what Install would write today.
func (f *Found) age(raw []byte) string {
	want, err := text(f.Name, f.Program)
	if err == nil && bytes.Equal(raw, want) && isSize(filepath.Join(f.Dir, echarts.FileName), len(echarts.Library)) {
		return ""
	}
	return "written by another version, or changed; write it again: " + f.install()
}

func isSize(path string, n int) bool {
	st, err := os.Stat(path)
	return err == nil && st.Size() == int64(n)
}

func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// install is the command that writes the kernelspec again.
func (f *Found) install() string { return f.command("install") }

// Remove is what takes the kernelspec away.
func (f *Found) Remove() string {
	if !f.Ours {
		return "remove the folder " + f.Dir
	}
	return f.command("uninstall")
}

// command is chest install or uninstall, with what makes it find the folder.
func (f *Found) command(verb string) string {
	before, after := "", ""
	data := filepath.Dir(filepath.Dir(f.Dir))
	if prefix, ok := strings.CutSuffix(filepath.ToSlash(data), "/share/jupyter"); filepath.Clean(f.user) == data {
		// the command's own choice
	} else if ok {
		after = " --prefix " + quoted(filepath.FromSlash(prefix))
	} else {
		before = "JUPYTER_DATA_DIR=" + quoted(data) + " "
	}
	if f.Name != Name {
		after += " --name " + f.Name
	}
	return before + "chest " + verb + after
}

func quoted(s string) string {
	if strings.ContainsAny(s, " '\"$&;()") {
		return "'" + s + "'"
	}
	return s
}

// answer is what chest --version prints.
var answer = regexp.MustCompile(`^chest version (\S+)\s*$`)

// AskVersion starts another chest and returns the version that it tells, within
// ten seconds.
func AskVersion(program string) (string, error) {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", errors.New("no answer within 10 s")
	}
	if err != nil {
		return "", err
	}
	found := answer.FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("--version printed %.60q", out)
	}
	return string(found[1]), nil
}
