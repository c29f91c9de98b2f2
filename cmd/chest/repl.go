package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/chestlab/chest/kernel/eval"
)

func replCommand() *cobra.Command {
	var bare bool
	c := &cobra.Command{
		Use:   "repl",
		Short: "Type cells at a terminal",
		Long: `Type cells at a terminal. A cell ends with the line that completes it; an empty
line ends a cell that cannot be completed. Ctrl-C stops what runs and keeps all
values; Ctrl-D leaves.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			session, err := newSession(os.Stdout, os.Stderr, bare)
			if err != nil {
				return failed(err)
			}
			return failed(repl(cmd.Context(), session, lineReader(os.Stdin, os.Stdout), os.Stdout))
		},
	}
	c.Flags().BoolVar(&bare, "bare", false, "import nothing by itself")
	return c
}

// prompter reads one line after showing a prompt; io.EOF ends the session.
type prompter func(prompt string) (string, error)

// repl reads cells and runs them until the end of the input.
func repl(ctx context.Context, s *eval.Session, in prompter, out io.Writer) error {
	fmt.Fprintf(out, "chest %s. Ctrl-D leaves.\n", version)
	for n := 1; ; n++ {
		code, err := readCell(s, in, n)
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(out)
			return nil
		}
		if err != nil {
			return err
		}
		if strings.TrimSpace(code) == "" {
			n--
			continue
		}
		runTyped(ctx, s, eval.Cell{Name: fmt.Sprintf("In[%d]", n), Code: code}, out)
	}
}

// runTyped runs one cell; Ctrl-C stops it.
func runTyped(ctx context.Context, s *eval.Session, c eval.Cell, out io.Writer) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	r := s.Run(ctx, c)
	if r.Err != nil {
		fmt.Fprintln(out, strings.Join(r.Err.Traceback, "\n"))
		return
	}
	printValues(out, r.Values)
}

// readCell reads lines until they are a whole cell.
func readCell(s *eval.Session, in prompter, n int) (string, error) {
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
		if s.Complete(code).Status != "incomplete" || strings.TrimSpace(line) == "" {
			return code, nil
		}
		prompt = more
	}
}

// lineReader edits lines on a terminal and reads plain lines elsewhere.
func lineReader(in, out *os.File) prompter {
	if !term.IsTerminal(int(in.Fd())) {
		r := bufio.NewReader(in)
		return func(prompt string) (string, error) {
			fmt.Fprint(out, prompt)
			line, err := r.ReadString('\n')
			if err != nil && line == "" {
				return "", err
			}
			return strings.TrimRight(line, "\r\n"), nil
		}
	}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, out}, "")
	return func(prompt string) (string, error) {
		state, err := term.MakeRaw(int(in.Fd())) // only while a line is typed: Ctrl-C must reach a running cell
		if err != nil {
			return "", fmt.Errorf("repl: %w", err)
		}
		defer term.Restore(int(in.Fd()), state)
		t.SetPrompt(prompt)
		return t.ReadLine()
	}
}
