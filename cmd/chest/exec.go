package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/kernel/command"
	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
)

// maxScript bounds the size of a script, in bytes.
const maxScript = 16 << 20

func execCommand() *cobra.Command {
	var bare bool
	c := &cobra.Command{
		Use:   "exec FILE.go|-",
		Short: "Run a Go script as a notebook's cells are run",
		Long: `Run a Go script as a notebook's cells are run: statements at the top level,
no main needed, the packages chestlib, datasets, display and viz imported. A
line that begins with "// %%" begins the next cell; the value of a cell's last
expression is printed. A file with "package main" and a func main runs as a
program. "-" reads the script from standard input.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, code, err := readScript(args[0], cmd.InOrStdin())
			if err != nil {
				return failed(err)
			}
			session, err := newSession(os.Stdout, os.Stderr, bare, canExit)
			if err != nil {
				return failed(err)
			}
			return execScript(cmd.Context(), session, name, code, os.Stdout)
		},
	}
	c.Flags().BoolVar(&bare, "bare", false, "import nothing by itself")
	return c
}

// readScript reads the script called arg, or stdin for "-".
func readScript(arg string, stdin io.Reader) (name, code string, err error) {
	r, name := stdin, "stdin"
	if arg != "-" {
		f, err := os.Open(arg)
		if err != nil {
			return "", "", fmt.Errorf("exec: %w", err)
		}
		defer f.Close()
		r, name = f, arg
	}
	b, err := io.ReadAll(io.LimitReader(r, maxScript+1))
	if err != nil {
		return "", "", fmt.Errorf("exec: reading %s: %w", name, err)
	}
	if len(b) > maxScript {
		return "", "", fmt.Errorf("exec: %s is larger than %d MiB; is it a Go script?", name, maxScript>>20)
	}
	return name, string(b), nil
}

// execScript runs the cells of code until one fails.
func execScript(ctx context.Context, s *command.Shell, name, code string, out io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	for _, c := range scriptCells(name, code) {
		r := s.Run(ctx, c)
		if r.Err != nil {
			fmt.Fprintln(os.Stderr, strings.Join(r.Err.Traceback, "\n"))
			if ctx.Err() != nil {
				return exitError{exitInterrupted, nil}
			}
			return exitError{exitFailed, nil}
		}
		printResult(out, r)
	}
	return nil
}

// scriptCells cuts code at its "// %%" lines. Each cell is padded by empty
// lines, so that positions are those of the file.
func scriptCells(name, code string) (cells []eval.Cell) {
	var body strings.Builder
	lines := strings.SplitAfter(code, "\n")
	start := 0
	flush := func(end int) {
		if strings.TrimSpace(body.String()) != "" {
			cells = append(cells, eval.Cell{Name: name, Code: strings.Repeat("\n", start) + body.String()})
		}
		body.Reset()
		start = end
	}
	for i, line := range lines {
		if strings.HasPrefix(line, "// %%") {
			flush(i)
		}
		body.WriteString(line)
	}
	flush(len(lines))
	return cells
}

// printResult prints what a cell gave as text: a page, a file that it loaded,
// or the values of its last expression.
func printResult(out io.Writer, r eval.Result) {
	if page, ok := r.Page[display.MIMEText]; ok {
		fmt.Fprintln(out, page)
	}
	if r.NextInput != "" {
		fmt.Fprintln(out, strings.TrimSuffix(r.NextInput, "\n"))
	}
	if b := display.OfResults(r.Values); b != nil {
		fmt.Fprintln(out, b[display.MIMEText])
	}
}
