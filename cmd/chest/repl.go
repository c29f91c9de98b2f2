package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/chestlab/chest/kernel/command"
	"github.com/chestlab/chest/kernel/eval"
)

func replCommand() *cobra.Command {
	var bare bool
	c := &cobra.Command{
		Use:   "repl",
		Short: "Type cells at a terminal",
		Long: `Type cells at a terminal. A cell ends with the line that completes it; an empty
line ends a cell that cannot be completed. Ctrl-C stops what runs, or drops what
is being typed, and keeps all values; Ctrl-D leaves. Lines that come from a pipe
are cells in the same way, without prompts.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			session, err := newSession(os.Stdout, os.Stderr, bare, canExit)
			if err != nil {
				return failed(err)
			}
			in := lineReader(os.Stdin)
			if term.IsTerminal(int(os.Stdin.Fd())) {
				fmt.Printf("chest %s. Ctrl-D leaves.\n", version)
				in = lineEditor(os.Stdin, os.Stdout)
			}
			return failed(repl(cmd.Context(), session, in, os.Stdout, os.Stderr))
		},
	}
	c.Flags().BoolVar(&bare, "bare", false, "import nothing by itself")
	return c
}

// prompter reads one line after showing a prompt. io.EOF ends the session,
// errDropped the cell.
type prompter func(prompt string) (string, error)

// errDropped is Ctrl-C while a cell is typed.
var errDropped = errors.New("repl: dropped")

// repl reads cells and runs them until the end of the input.
func repl(ctx context.Context, s *command.Shell, in prompter, out, errs io.Writer) error {
	for n := 1; ; n++ {
		code, err := readCell(s, in, n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, errDropped) {
			return err
		}
		if strings.TrimSpace(code) == "" {
			n--
			continue
		}
		runTyped(ctx, s, eval.Cell{Name: fmt.Sprintf("In[%d]", n), Code: code}, out, errs)
	}
}

// runTyped runs one cell; Ctrl-C stops it.
func runTyped(ctx context.Context, s *command.Shell, c eval.Cell, out, errs io.Writer) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	r := s.Run(ctx, c)
	if r.Err != nil {
		fmt.Fprintln(errs, strings.Join(r.Err.Traceback, "\n"))
		return
	}
	printResult(out, r)
}

// readCell reads lines until they are a whole cell.
func readCell(s *command.Shell, in prompter, n int) (string, error) {
	prompt := fmt.Sprintf("In[%d] ", n)
	more := strings.Repeat(" ", len(prompt)-4) + "... "
	var code string
	for {
		line, err := in(prompt)
		if err != nil {
			if code != "" && errors.Is(err, io.EOF) {
				return code, nil
			}
			return "", err
		}
		code += line + "\n"
		if s.IsComplete(code).Status != "incomplete" || strings.TrimSpace(line) == "" {
			return code, nil
		}
		prompt = more
	}
}

// lineReader reads plain lines; the prompt is not shown.
func lineReader(in io.Reader) prompter {
	r := bufio.NewReader(in)
	return func(string) (string, error) {
		line, err := r.ReadString('\n')
		if err != nil && line == "" {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
}

// lineEditor edits lines on a terminal.
func lineEditor(in, out *os.File) prompter {
	keys := &keys{in: in}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, out}, "")
	return func(prompt string) (string, error) {
		state, err := term.MakeRaw(int(in.Fd())) // only while a line is typed: Ctrl-C must reach a running cell
		if err != nil {
			return "", fmt.Errorf("repl: %w", err)
		}
		defer term.Restore(int(in.Fd()), state)
		if w, h, err := term.GetSize(int(out.Fd())); err == nil && w > 0 {
			t.SetSize(w, h)
		}
		t.SetPrompt(prompt)
		line, err := t.ReadLine()
		if keys.dropped {
			keys.dropped = false
			return "", errDropped
		}
		if errors.Is(err, io.EOF) {
			fmt.Fprint(out, "\r\n")
		}
		return line, err
	}
}

// keys reads what is typed. term.Terminal takes Ctrl-C for the end of the
// input; instead of it, it is given the keys that empty the line and end it.
type keys struct {
	in      io.Reader
	ready   []byte // read and not given yet
	dropped bool
}

const (
	ctrlC   = 3
	dropAll = "\x05\x15\r" // to the end of the line, erase to its start, enter
)

func (k *keys) Read(p []byte) (int, error) {
	if len(k.ready) == 0 {
		n, err := k.in.Read(p)
		if n == 0 {
			return 0, err
		}
		k.ready = append(k.ready, p[:n]...)
	}
	end := len(k.ready)
	if at := bytes.LastIndexByte(k.ready, ctrlC); at >= 0 { // what was typed before it goes, too
		k.dropped = true
		k.ready = append([]byte(dropAll), k.ready[at+1:]...)
		end = len(dropAll)
	}
	n := copy(p, k.ready[:end])
	k.ready = k.ready[n:]
	return n, nil
}
