package viz

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/latex"
	"github.com/chestlab/chest/kernel/display"
)

// Report collects what a paper shows in a folder, for a paper's repository:
//
//	figures/NAME.pdf .svg .png   pictures
//	tables/NAME.tex .md .csv     tables, with booktabs rules
//	config.json                  settings and seeds
//	main.tex                     an article of all of it, which compiles
//	README.md                    a page of all of it, for code hosts
//
//	r := viz.NewReport("paper")
//	r.Config(tr.Config(), 1, 2, 3)
//	r.Figure("disk", disk)
//	r.Table("main", table)
//
// The folder is whole after each call: each file is written in one step, and
// main.tex and README.md list what the report has so far. Its methods may be
// called from several goroutines.
type Report struct {
	mu     sync.Mutex
	dir    string
	title  string
	parts  []reportPart
	config bool
}

// reportPart is one figure or table.
type reportPart struct {
	name, caption string
	table         *Table // nil for a figure
}

// NewReport returns a report that writes into a folder, which the first part
// makes. What is there already is replaced only where it has the name of a part;
// main.tex and README.md only if a report wrote them.
func NewReport(dir string) *Report { return &Report{dir: dir, title: "Report"} }

// Title sets the heading of main.tex and README.md; the default is "Report".
func (r *Report) Title(title string) *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.title = title
	return r
}

// reportName is what the name of a part may be: no place but a plain name, which
// LaTeX, Markdown and every file system take as it is.
var reportName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Figure writes a picture as PDF, SVG and PNG. An error is that of the picture,
// such as a number that is not finite, or of writing.
func (r *Report) Figure(name string, f Figure) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	files := map[string][]byte{}
	for _, form := range []struct {
		ending string
		bytes  func() ([]byte, error)
	}{{".pdf", f.PDF}, {".svg", f.SVG}, {".png", f.PNG}} {
		b, err := form.bytes()
		if err != nil {
			return fmt.Errorf("viz: report: figure %q: %w", name, err)
		}
		files["figures/"+name+form.ending] = b
	}
	return r.add(reportPart{name: name, caption: f.Alt()}, files)
}

// Table writes a table as LaTeX, Markdown and CSV. A table without a Label gets
// "tab:" and the name.
func (r *Report) Table(name string, t *Table) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	labelled := *t
	if labelled.label == "" {
		labelled.Label("tab:" + name)
	}
	return r.add(reportPart{name: name, caption: t.title, table: &labelled}, map[string][]byte{
		"tables/" + name + ".tex": []byte(labelled.LaTeX()),
		"tables/" + name + ".md":  []byte(t.Markdown()),
		"tables/" + name + ".csv": []byte(t.CSV()),
	})
}

// Config writes settings and the seeds of the runs to config.json. v is anything
// that has a JSON form, or a text that is JSON, such as a trainer's Config. A
// later call replaces the file.
func (r *Report) Config(v any, seeds ...uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := v.(string); ok && json.Valid([]byte(s)) {
		v = json.RawMessage(s)
	}
	b, err := json.MarshalIndent(struct {
		Config any      `json:"config"`
		Seeds  []uint64 `json:"seeds"`
	}{v, append([]uint64{}, seeds...)}, "", "  ")
	if err != nil {
		return fmt.Errorf("viz: report: config: %w", err)
	}
	if err := r.write("config.json", append(b, '\n')); err != nil {
		return err
	}
	r.config = true
	return r.index()
}

// add writes a part's files, notes the part and writes the index anew.
func (r *Report) add(p reportPart, files map[string][]byte) error {
	if !reportName.MatchString(p.name) {
		return fmt.Errorf("viz: report: the name %q: want letters, digits, - and _, at most 64, a letter or digit first", p.name)
	}
	if err := r.ours(); err != nil { // before anything is written
		return err
	}
	for name, b := range files {
		if err := r.write(name, b); err != nil {
			return err
		}
	}
	for i, old := range r.parts {
		if old.name == p.name && (old.table == nil) == (p.table == nil) {
			r.parts[i] = p
			return r.index()
		}
	}
	r.parts = append(r.parts, p)
	return r.index()
}

// write writes a file of the folder, whole or not at all.
func (r *Report) write(name string, b []byte) error {
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = durable.Write(path, func(w io.Writer) error { _, err := w.Write(b); return err })
	}
	if err != nil {
		return fmt.Errorf("viz: report: writing %s: %w", path, err)
	}
	return nil
}

// reportMark is in the first line of what a report may replace.
const reportMark = "written by chest; the next report replaces it"

// ours makes sure that main.tex and README.md, if they are there, are a report's.
func (r *Report) ours() error {
	for _, name := range []string{"main.tex", "README.md"} {
		path := filepath.Join(r.dir, name)
		b, err := os.ReadFile(path)
		switch first, _, _ := bytes.Cut(b, []byte("\n")); {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return fmt.Errorf("viz: report: %w", err)
		case !bytes.Contains(first, []byte(reportMark)):
			return fmt.Errorf("viz: report: %s is not a report's and stays as it is: name another folder", path)
		}
	}
	return nil
}

// index writes main.tex and README.md.
func (r *Report) index() error {
	if err := r.ours(); err != nil {
		return err
	}
	if err := r.write("main.tex", []byte(r.latex())); err != nil {
		return err
	}
	return r.write("README.md", []byte(r.markdown()))
}

// reportHead is how main.tex begins: for every LaTeX, with the packages that
// tables and pictures need.
const reportHead = `\documentclass{article}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[utf8]{inputenc}
  \IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}
\else
  \usepackage{fontspec}
\fi
\usepackage{amssymb,booktabs,graphicx,xcolor}
\usepackage[margin=25mm]{geometry}
\setlength\belowcaptionskip{4pt}
\makeatletter % a smaller type in the table that follows in the same group
\newcommand\chestsize[1]{\def\@floatboxreset{\reset@font#1\@setminipage}}
\makeatother
`

// latex is main.tex.
func (r *Report) latex() string {
	var b strings.Builder
	tables := ""
	for _, p := range r.parts {
		if p.table != nil {
			tables += p.table.LaTeX()
		}
	}
	b.WriteString("% " + reportMark + "\n" + reportHead + latex.Preamble + latex.Declarations(tables))
	b.WriteString("\\title{" + latex.Document(oneLine(r.title)) + "}\n\\author{}\n\\date{}\n\n\\begin{document}\n\\maketitle\n\n")
	for i, p := range r.parts {
		if i > 0 && i%40 == 0 {
			b.WriteString("\\clearpage\n\n") // LaTeX holds back some fifty
		}
		if p.table != nil {
			input := "\\input{tables/" + p.name + "}"
			if size := p.table.size(); size != "" {
				input = "{\\chestsize{" + size + "}" + input + "}"
			}
			b.WriteString(input + "\n\n")
			continue
		}
		b.WriteString("\\begin{figure}[t]\n  \\centering\n  \\includegraphics[width=\\linewidth,height=.6\\textheight,keepaspectratio]{figures/" + p.name + ".pdf}\n" +
			"  \\caption{" + latex.Document(oneLine(p.caption)) + "}\n  \\label{fig:" + p.name + "}\n\\end{figure}\n\n")
	}
	if len(r.parts) == 0 {
		b.WriteString("The settings are in config.json.\n\n")
	}
	b.WriteString("\\end{document}\n")
	return b.String()
}

// size is the size of type in which a page of main.tex holds the table; "" is the
// usual one, of some 90 characters a line.
func (t *Table) size() string {
	wide := 0
	for _, l := range strings.Split(t.Text(), "\n") {
		if strings.HasPrefix(l, "─") { // the rule is as wide as the columns
			wide = utf8.RuneCountInString(l)
		}
	}
	for _, s := range []struct {
		upTo int
		size string
	}{{90, ""}, {110, `\footnotesize`}, {130, `\scriptsize`}} {
		if wide <= s.upTo {
			return s.size
		}
	}
	return `\tiny`
}

// markdown is README.md.
func (r *Report) markdown() string {
	var b strings.Builder
	b.WriteString("<!-- " + reportMark + " -->\n# " + escapeMarkdown(r.title) + "\n")
	for _, p := range r.parts {
		if p.table != nil {
			b.WriteString("\n" + p.table.Markdown() + "\n[LaTeX](tables/" + p.name + ".tex), [CSV](tables/" + p.name + ".csv)\n")
			continue
		}
		b.WriteString("\n![" + escapeMarkdown(p.caption) + "](figures/" + p.name + ".png)\n\n[PDF](figures/" + p.name + ".pdf), [SVG](figures/" + p.name + ".svg)\n")
	}
	if r.config {
		b.WriteString("\nSettings and seeds: [config.json](config.json)\n")
	}
	b.WriteString("\nThe same as an article: [main.tex](main.tex)\n")
	return b.String()
}

// MIMEBundle says what the report has, and where.
func (r *Report) MIMEBundle() map[string]any {
	return display.Bundle{display.MIMEText: r.String()}
}

// String says in one line what the report has, and where.
func (r *Report) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	figures := 0
	for _, p := range r.parts {
		if p.table == nil {
			figures++
		}
	}
	return fmt.Sprintf("report in %s: %s, %s", r.dir, count(figures, "figure"), count(len(r.parts)-figures, "table"))
}
