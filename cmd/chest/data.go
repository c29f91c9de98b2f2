package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/features"
	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/datasets/catalog"
	"github.com/chestlab/chest/kernel/display"
)

func dataCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "data",
		Short: "Find, check and get data sets",
		Long: `Find, check and get data sets. They lie in folders of their own below the
folder that --dir or the environment variable CHEST_DATA names, as their
publishers pack them.`,
		Example: `  chest data list
  chest data check cub
  chest data make-toy cub /tmp/toys && chest data check cub --dir /tmp/toys`,
	}
	c.PersistentFlags().StringVar(&dir, "dir", "", "folder of all data sets (default: CHEST_DATA)")
	c.AddCommand(dataList(&dir), dataCheck(&dir), dataInfo(), dataImport(), dataGet(&dir), dataToy())
	return c
}

func dataList(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Say which data sets are there, and where the others would lie",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, e := range catalog.List(*dir) {
				where := e.Folder
				if e.Err != nil {
					where = remedied(e.Err)
				} else if where == "" {
					where = "not there; would lie in " + e.Would
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-10s %-26s %s\n", e.Source.Name, e.Source.Title, where)
			}
			return nil
		},
	}
}

func dataInfo() *cobra.Command {
	return &cobra.Command{
		Use:   "info [NAME|FILE]",
		Short: "Describe a data set, or say what made a file of chest features",
		Long: `Describe a data set: size, classes, licence, source. Of a FILE of chest features
it says what made it: network, weights, transform, data set.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all := datasets.Sources()
			if len(args) == 1 {
				s, err := datasets.SourceOf(args[0])
				if st, e := os.Stat(args[0]); err != nil && e == nil && !st.IsDir() {
					return featuresInfo(cmd.OutOrStdout(), args[0])
				}
				if err != nil {
					return err
				}
				all = []datasets.Source{s}
			}
			for _, s := range all {
				fmt.Fprint(cmd.OutOrStdout(), catalog.Info(s))
			}
			return nil
		},
	}
}

// featuresInfo writes the record of a file of features.
func featuresInfo(out io.Writer, path string) error {
	set, err := features.Read(path, features.Record{})
	if err != nil {
		return failed(fmt.Errorf("%w; chest data check reads any file of features", err))
	}
	r := set.Record
	_, err = fmt.Fprintf(out, "%v\n  weights   %s\n  transform %s\n  labels    %s, of %d items\n  program   chest %s with %s\n",
		set, r.Weights, r.Transform, r.Labels, r.Items, r.Version, r.Level)
	return failed(err)
}

func dataCheck(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "check NAME|FOLDER|FILE",
		Short: "Read everything of a data set and say what is wrong",
		Long: `Read everything of a data set: its lists, and every image with Go's own
decoders. NAME is one of chest data list; FOLDER holds own images, a folder for
each class; FILE holds features (.csv, .npy, .npz, .safetensors, .pt). Prints
counts, what differs from the published ones, and a checksum of parts, classes,
paths and bytes: two copies with one checksum are the same. Exit code: 0 whole,
1 something is wrong, 130 Ctrl-C.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			display.SetContext(ctx) // of Omniglot, which stops with the running cell
			r, err := catalog.Check(ctx, args[0], *dir, newProgress(os.Stderr))
			if err != nil {
				return stopped(err)
			}
			out := cmd.OutOrStdout()
			for _, line := range append(r.Parts, r.Notes...) {
				fmt.Fprintln(out, line)
			}
			fmt.Fprintf(out, "%d items, %d bytes\nsha256 %s\n", r.Items, r.Bytes, r.SHA256)
			for _, p := range r.Problems {
				fmt.Fprintln(out, p)
			}
			if r.Wrong > 0 {
				return failed(fmt.Errorf("data: %s: %d of %d items are wrong; the first %d are listed", r.Name, r.Wrong, r.Items, len(r.Problems)))
			}
			return nil
		},
	}
}

func dataGet(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "get NAME",
		Short: "Fetch a data set, or say where to get it and under what licence",
		Long: `Fetch a data set whose licence lets anybody pass it on: omniglot. Of the others
it says where to get them and under what licence. A transfer that broke off goes
on where it stopped; the checksum says whether the file is the published one.
Of weights/vit_s16 and weights/resnet50 it says where they come from, and how
their files are converted: weights are never fetched.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if text, ok, err := weightsHelp(args[0]); ok || err != nil {
				if err == nil {
					fmt.Fprintln(cmd.OutOrStdout(), text)
				}
				return err
			}
			s, err := datasets.SourceOf(args[0])
			if err != nil {
				return err
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			p := newProgress(os.Stderr)
			p.inMegabytes = true
			folder, err := catalog.Get(ctx, s, *dir, nil, p)
			if err != nil {
				return stopped(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is in %s (licence: %s)\n", s.Title, folder, s.Licence)
			return nil
		},
	}
}

func dataToy() *cobra.Command {
	return &cobra.Command{
		Use:   "make-toy NAME FOLDER",
		Short: "Write a small copy of a data set in its publisher's format",
		Long: `Write a small copy of a data set in its publisher's format, with pictures of
Blazons, into a folder of its own below FOLDER: to try what reads the real data.
NAME: ` + strings.Join(datasets.Toys(), ", ") + ".",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := datasets.MakeToy(args[0], args[1]); err != nil {
				return failed(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the toy of %s is below %s\n", args[0], args[1])
			return nil
		},
	}
}

// interruptible is a context that Ctrl-C ends.
func interruptible(ctx context.Context) (context.Context, func()) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// stopped gives an error its exit code: that of an interrupt, or 1.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return exitError{exitInterrupted, err}
	}
	return failed(err)
}
