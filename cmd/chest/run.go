package main

import (
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
