package command

import (
	"context"
	"errors"
	"os/exec"
	"time"

	"github.com/chestlab/chest/kernel/eval"
)

// system runs a line of the shell, "!ls *.go".
func (sh *Shell) system(ctx context.Context, line string) eval.Result {
	if line == "" {
		return failed("! needs a command, such as !ls")
	}
	if _, err := exec.LookPath("sh"); err != nil {
		return failed("! needs the program sh, which is not on the PATH (on Windows, Git for Windows has it); $ PROGRAM ARGUMENTS needs none")
	}
	return sh.process(ctx, line, exec.CommandContext(ctx, "sh", "-c", line))
}

// plain runs a program with its arguments as they stand, "$ ls -l": no shell
// looks at them.
func (sh *Shell) plain(ctx context.Context, words []string) eval.Result {
	if len(words) == 0 {
		return failed("$ needs a command, such as $ ls")
	}
	return sh.process(ctx, words[0], exec.CommandContext(ctx, words[0], words[1:]...))
}

// process runs a program: its output comes while it runs, an interrupt ends it
// and all that it has started.
func (sh *Shell) process(ctx context.Context, name string, cmd *exec.Cmd) eval.Result {
	cmd.Stdout, cmd.Stderr = sh.out, sh.out
	cmd.WaitDelay = 100 * time.Millisecond
	ownGroup(cmd)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return eval.Result{Err: &eval.Error{Name: "interrupted", Message: "the command was interrupted", Traceback: []string{"interrupted: the command was interrupted"}}}
	case errors.As(err, &exit):
		return failed("%s: %v", name, exit)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return failed("%v", err)
	}
	return eval.Result{}
}
