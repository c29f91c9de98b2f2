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
			if f.timeout < 0 {
				return fmt.Errorf("run: --timeout %v is negative", f.timeout)
			}
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
	if err := f.checkOutputs(path); err != nil { // before the work, not after it
		return failed(fmt.Errorf("run: %w", err))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ran := notebook.Run(ctx, nb, notebook.RunOptions{Timeout: f.timeout, KeepGoing: f.keep, Progress: os.Stderr})
	stop() // a second Ctrl-C ends the writing, too
	err = runError(ran)
	for _, e := range writeResults(nb, path, f) {
		if err == nil {
			err = exitError{exitFailed, nil}
		}
		complain(e)
	}
	return err
}

// checkOutputs makes the folders of the outputs and says why one cannot be
// written.
func (f runFlags) checkOutputs(path string) error {
	if f.html != "" && (samePlace(f.html, f.out) || samePlace(f.html, path)) {
		return fmt.Errorf("--html %s would replace the notebook", f.html)
	}
	for _, out := range []string{f.out, f.html} {
		if out == "" {
			continue
		}
		st, err := os.Stat(out)
		if err == nil && st.IsDir() {
			return fmt.Errorf("%s is a folder; name a file to write", out)
		}
		if err == nil && !st.Mode().IsRegular() { // such as /dev/stdout
			continue
		}
		dir := filepath.Dir(out)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		probe, err := os.CreateTemp(dir, ".chest-")
		if err != nil {
			return fmt.Errorf("cannot write %s: %w", out, err)
		}
		probe.Close()
		os.Remove(probe.Name())
	}
	return nil
}

// samePlace says whether two paths name one file, whether it is there or not.
func samePlace(a, b string) bool {
	if x, err := os.Stat(a); err == nil {
		y, err := os.Stat(b)
		return err == nil && os.SameFile(x, y)
	}
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
}

// writeResults writes the executed notebook and the page; one that fails does
// not keep the other from being written.
func writeResults(nb *notebook.Notebook, path string, f runFlags) (failures []error) {
	if err := nb.Write(f.out); err != nil {
		failures = append(failures, err)
	} else {
		fmt.Fprintln(os.Stderr, "wrote", f.out)
	}
	if f.html == "" {
		return failures
	}
	var page bytes.Buffer
	err := nb.HTML(&page, notebook.HTMLOptions{Dir: filepath.Dir(path)})
	if err == nil {
		err = notebook.WriteFile(f.html, page.Bytes())
	}
	if err != nil {
		return append(failures, err)
	}
	fmt.Fprintln(os.Stderr, "wrote", f.html)
	return failures
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
