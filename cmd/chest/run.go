package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/kernel/notebook"
)

// runFlags are the flags of chest run.
type runFlags struct {
	out     string
	html    string
	params  []string
	timeout time.Duration
	keep    bool
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run NOTEBOOK",
		Short: "Run a notebook from top to bottom, without Jupyter",
		Long: `Run a notebook from top to bottom in a fresh kernel, with progress on the
terminal. The executed notebook is written also when a cell fails and on
Ctrl-C. Exit code: 0 all cells ran, 1 a cell failed, 124 --timeout ran out,
130 Ctrl-C.`,
		Example: `  chest run notebooks/01_quickstart.ipynb -o out.ipynb --html out.html -p epochs=20`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runNotebook(cmd.Context(), args[0], f)
		},
	}
	c.Flags().StringVarP(&f.out, "output", "o", "", "the executed notebook (default NOTEBOOK with .out.ipynb)")
	c.Flags().StringVar(&f.html, "html", "", "also write one HTML page that opens without a network")
	c.Flags().StringArrayVarP(&f.params, "param", "p", nil, "name=value for the cell tagged \"parameters\"; repeatable")
	c.Flags().DurationVar(&f.timeout, "timeout", 0, "stop the run after this time, such as 10m (default: never)")
	c.Flags().BoolVar(&f.keep, "keep-going", false, "go on after a cell that fails")
	return c
}

// runNotebook reads, runs and writes a notebook.
func runNotebook(ctx context.Context, path string, f runFlags) error {
	nb, err := notebook.Read(path)
	if err != nil {
		return failed(err)
	}
	if err := nb.SetParameters(f.params); err != nil {
		return failed(err)
	}
	if f.out == "" {
		f.out = strings.TrimSuffix(path, ".ipynb") + ".out.ipynb"
	}
	for _, out := range []string{f.out, f.html} { // before the work, not after it
		if out == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return failed(fmt.Errorf("run: %w", err))
		}
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ran := notebook.Run(ctx, nb, notebook.RunOptions{Timeout: f.timeout, KeepGoing: f.keep, Progress: os.Stderr})
	stop() // a second Ctrl-C ends the writing, too
	return errors.Join(runError(ran), failed(writeResults(nb, path, f)))
}

// writeResults writes the executed notebook and the page.
func writeResults(nb *notebook.Notebook, path string, f runFlags) error {
	if err := nb.Write(f.out); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "wrote", f.out)
	if f.html == "" {
		return nil
	}
	var page bytes.Buffer
	if err := nb.HTML(&page, notebook.HTMLOptions{Dir: filepath.Dir(path)}); err != nil {
		return err
	}
	if err := notebook.WriteFile(f.html, page.Bytes()); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "wrote", f.html)
	return nil
}

// runError gives the error of a run its exit code. What a cell's error says is
// on the terminal already.
func runError(err error) error {
	var cell *notebook.CellError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return exitError{exitInterrupted, errors.New("run: interrupted")}
	case errors.Is(err, notebook.ErrTimeout):
		return exitError{exitTimeout, err}
	case errors.As(err, &cell):
		return exitError{exitFailed, nil}
	}
	return exitError{exitFailed, err}
}
