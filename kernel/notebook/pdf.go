package notebook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// PDFOptions controls PDF.
type PDFOptions struct {
	ExportOptions
	With string // one of PDFPrograms; "" means the first that is installed and makes a file
}

// PDFPrograms are what makes PDF files of notebooks, in the order in which they
// are tried: two that set the LaTeX document, then browsers that print the page.
var PDFPrograms = []string{"xelatex", "pdflatex", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// ErrNoPDFProgram says that nothing that makes PDF files is installed.
var ErrNoPDFProgram = errors.New("no program that makes PDF files is installed: install XeLaTeX (Debian: texlive-xetex, texlive-latex-recommended and lmodern), pdfLaTeX (texlive-latex-recommended) or Chromium (chromium)")

// PDF is the notebook as a PDF file, made by an installed program, which with
// names. notes are sentences about what went wrong on the way there. It takes
// seconds; when ctx ends it stops.
func (nb *Notebook) PDF(ctx context.Context, o PDFOptions) (pdf []byte, with string, notes []string, err error) {
	programs := PDFPrograms
	if o.With != "" {
		if !slices.Contains(programs, o.With) {
			return nil, "", nil, fmt.Errorf("notebook: PDF with %q: want one of %s", o.With, strings.Join(programs, ", "))
		}
		programs = []string{o.With}
	}
	found := false
	for _, name := range programs {
		path, lookErr := exec.LookPath(name)
		if lookErr != nil {
			continue
		}
		found = true
		pdf, note, err := nb.pdfWith(ctx, name, path, o.ExportOptions)
		if ctx.Err() != nil {
			return nil, "", notes, fmt.Errorf("notebook: PDF: %w", context.Cause(ctx))
		}
		if err == nil {
			if note != "" {
				notes = append(notes, note)
			}
			return pdf, name, notes, nil
		}
		notes = append(notes, err.Error())
	}
	switch {
	case found:
		return nil, "", nil, fmt.Errorf("notebook: PDF: %s", strings.Join(notes, "; "))
	case o.With != "":
		return nil, "", nil, fmt.Errorf("notebook: PDF: %s is not installed, or not in PATH", o.With)
	}
	return nil, "", nil, fmt.Errorf("notebook: PDF: %w", ErrNoPDFProgram)
}

// pdfWith makes the file with one program.
func (nb *Notebook) pdfWith(ctx context.Context, name, path string, o ExportOptions) (pdf []byte, note string, err error) {
	dir, err := os.MkdirTemp("", "chest-pdf-")
	if err != nil {
		return nil, "", err
	}
	if strings.HasSuffix(name, "latex") {
		defer os.RemoveAll(dir)
		doc, err := nb.LaTeX(o)
		if err != nil {
			return nil, "", err
		}
		return setPDF(ctx, path, dir, doc)
	}
	defer removeProfile(dir)
	var page bytes.Buffer
	if err := nb.HTML(&page, HTMLOptions{Title: o.Title, Dir: o.Dir, NoInput: o.NoInput, Print: true}); err != nil {
		return nil, "", err
	}
	pdf, err = printPDF(ctx, path, dir, page.Bytes())
	return pdf, "", err
}

// removeProfile removes the folder that a browser had its profile in. Processes of
// a browser outlive it for a moment and write there still, or make the folder
// anew: it is removed until it stays away, for ten seconds at most.
func removeProfile(dir string) {
	const pause = 100 * time.Millisecond
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if os.RemoveAll(dir) == nil {
			time.Sleep(pause)
			if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
				return
			}
		}
		time.Sleep(pause / 10)
	}
}

// Write writes the document to path and its files beside it, each whole or not at
// all.
func (d *Document) Write(path string) error {
	for _, f := range d.Files {
		to := filepath.Join(filepath.Dir(path), filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return fmt.Errorf("notebook: writing %s: %w", path, err)
		}
		if err := WriteFile(to, f.Data); err != nil {
			return err
		}
	}
	return WriteFile(path, []byte(d.Text))
}

// setPDF sets a LaTeX document. Where LaTeX found errors and made a file all the
// same, note has the first of them.
func setPDF(ctx context.Context, program, dir string, doc *Document) (pdf []byte, note string, err error) {
	if err := doc.Write(filepath.Join(dir, "notebook.tex")); err != nil {
		return nil, "", err
	}
	var log []byte
	var ran error
	for range 2 { // the second time with the references of the first
		cmd := exec.CommandContext(ctx, program, "-interaction=nonstopmode", "-no-shell-escape", "-file-line-error", "notebook.tex")
		cmd.Dir, cmd.WaitDelay = dir, time.Second
		cmd.Env = append(os.Environ(), "openin_any=p", "MKTEXTFM=0", "max_print_line=1000") // no files of elsewhere, no fonts made up, messages in one line
		log, ran = cmd.CombinedOutput()
		if !bytes.Contains(log, []byte("Rerun to get")) {
			break
		}
	}
	name := filepath.Base(program)
	pdf, err = os.ReadFile(filepath.Join(dir, "notebook.pdf"))
	if err != nil || len(pdf) == 0 {
		return nil, "", fmt.Errorf("%s made no file: %s", name, latexError(log, ran))
	}
	if ran != nil {
		note = fmt.Sprintf("%s found errors, the first is: %s", name, latexError(log, ran))
	}
	return pdf, note, nil
}

// latexError is the first error in what LaTeX said.
func latexError(log []byte, ran error) string {
	all := strings.Split(string(log), "\n")
	for i, l := range all {
		if strings.HasPrefix(l, "! ") || strings.HasPrefix(l, "./notebook.tex:") {
			for _, next := range all[i+1 : min(i+8, len(all))] {
				if strings.HasPrefix(next, "l.") {
					l += " (" + strings.TrimSpace(next) + ")"
					break
				}
			}
			return strings.TrimPrefix(strings.TrimPrefix(l, "./"), "! ")
		}
	}
	return fmt.Sprint(ran)
}

// printPDF prints a page with a browser.
func printPDF(ctx context.Context, program, dir string, page []byte) ([]byte, error) {
	from, to := filepath.Join(dir, "notebook.html"), filepath.Join(dir, "notebook.pdf")
	if err := os.WriteFile(from, page, 0o600); err != nil {
		return nil, err
	}
	args := []string{
		"--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir=" + filepath.Join(dir, "browser"), "--virtual-time-budget=10000", "--no-pdf-header-footer", "--print-to-pdf=" + to,
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // it refuses to start otherwise
	}
	cmd := exec.CommandContext(ctx, program, append(args, "file://"+filepath.ToSlash(from))...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "TMPDIR="+dir) // what it leaves when it is killed goes with dir
	said, ran := cmd.CombinedOutput()
	pdf, err := os.ReadFile(to)
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF")) {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		return nil, fmt.Errorf("%s made no file: %v: %s", filepath.Base(program), ran, lines[len(lines)-1])
	}
	return pdf, nil
}
