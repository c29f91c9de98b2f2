package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/kernel/notebook"
)

// exportFlags are the flags of chest export.
type exportFlags struct {
	to      string
	out     string
	title   string
	with    string
	noInput bool
}

// exportEndings are the forms of --to and the endings of their files.
var exportEndings = map[string]string{"html": ".html", "md": ".md", "tex": ".tex", "pdf": ".pdf"}

func exportCommand() *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:   "export NOTEBOOK",
		Short: "Write an executed notebook as HTML, Markdown, LaTeX or PDF, without Jupyter",
		Long: `Write an executed notebook as a document: its code, its text, and each output.
Nothing is run; see chest run for that.

html  one page that needs no network: charts stay interactive
md    Markdown for code hosts, pictures as files in NAME_files
tex   an article for pdfLaTeX or XeLaTeX, pictures as files in NAME_files
pdf   made of it by xelatex or pdflatex, or of the page by Chromium: by what is
      installed, or by --with

Cells tagged remove-cell, remove-input or remove-output lose that part. Cells
tagged hide-input, hide-output or hide-cell, or with the metadata hide_input, are
folded in a page, and in other documents lose that part.`,
		Example: `  chest export notebooks/01_quickstart.ipynb --to pdf -o quickstart.pdf
  chest export run.out.ipynb --to tex --no-input`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if exportEndings[f.to] == "" {
				return fmt.Errorf("export: --to %q; want html, md, tex or pdf", f.to)
			}
			if f.with != "" && (f.to != "pdf" || !slices.Contains(notebook.PDFPrograms, f.with)) {
				return fmt.Errorf("export: --with %q: it goes with --to pdf, and is one of %s", f.with, strings.Join(notebook.PDFPrograms, ", "))
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return failed(f.export(ctx, args[0]))
		},
	}
	c.Flags().StringVar(&f.to, "to", "html", "html, md, tex or pdf")
	c.Flags().StringVarP(&f.out, "output", "o", "", "the file to write (default NOTEBOOK with the ending of --to)")
	c.Flags().StringVar(&f.title, "title", "", "of the document (default: the first heading)")
	c.Flags().StringVar(&f.with, "with", "", "the program that makes the PDF file (default: the first that is installed)")
	c.Flags().BoolVar(&f.noInput, "no-input", false, "leave the code out")
	return c
}

// export reads a notebook and writes the document.
func (f exportFlags) export(ctx context.Context, path string) error {
	nb, err := notebook.Read(path)
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = strings.TrimSuffix(path, ".ipynb") + exportEndings[f.to]
	}
	if samePlace(f.out, path) {
		return fmt.Errorf("export: -o %s would replace the notebook", f.out)
	}
	if err := (runFlags{out: f.out}).checkOutputs(path); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if nb.HasCode() && !nb.HasOutputs() {
		fmt.Fprintf(os.Stderr, "chest: export: %s has no outputs: it was not run, or saved without them; run it by: chest run %[1]s\n", path)
	}
	o := notebook.ExportOptions{Title: f.title, Dir: filepath.Dir(path), NoInput: f.noInput,
		Name: strings.TrimSuffix(filepath.Base(f.out), filepath.Ext(f.out))}
	if err := f.write(ctx, nb, o); err != nil {
		if errors.Is(err, context.Canceled) {
			return exitError{exitInterrupted, errors.New("export: interrupted; nothing was written")}
		}
		return fmt.Errorf("export: %s: %w", path, err)
	}
	fmt.Fprintln(os.Stderr, "wrote", f.out)
	return nil
}

// write writes the document in the form of --to.
func (f exportFlags) write(ctx context.Context, nb *notebook.Notebook, o notebook.ExportOptions) error {
	switch f.to {
	case "md", "tex":
		form := (*notebook.Notebook).Markdown
		if f.to == "tex" {
			form = (*notebook.Notebook).LaTeX
		}
		doc, err := form(nb, o)
		if err != nil {
			return err
		}
		if st, err := os.Stat(f.out); err == nil && !st.Mode().IsRegular() && len(doc.Files) > 0 {
			return fmt.Errorf("%s has no place for %d pictures beside it: name a file with -o", f.out, len(doc.Files))
		}
		return doc.Write(f.out)
	case "pdf":
		p := newProgress(os.Stderr)
		p.Start(0, "export: making "+f.out)
		pdf, with, notes, err := nb.PDF(ctx, notebook.PDFOptions{ExportOptions: o, With: f.with})
		p.Finish("")
		if err != nil {
			return err
		}
		for _, n := range notes {
			fmt.Fprintln(os.Stderr, "chest: export:", n)
		}
		fmt.Fprintln(os.Stderr, "made by", with)
		return notebook.WriteFile(f.out, pdf)
	}
	var page bytes.Buffer
	if err := nb.HTML(&page, notebook.HTMLOptions{Title: f.title, Dir: o.Dir, NoInput: f.noInput}); err != nil {
		return err
	}
	return notebook.WriteFile(f.out, page.Bytes())
}
