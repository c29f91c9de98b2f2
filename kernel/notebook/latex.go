package notebook

import (
	"encoding/json"
	"fmt"
	"image"
	"regexp"
	"strings"

	"github.com/chestlab/chest/internal/latex"
)

// LaTeX is the notebook as an article for pdfLaTeX, XeLaTeX or LuaLaTeX that
// needs what every installation has: Markdown cells set, code coloured, long
// lines broken, pictures as files, every character either set or named. An
// output is written in the first of these forms that it has: LaTeX, which goes in
// as it is, a picture, Markdown, text.
func (nb *Notebook) LaTeX(o ExportOptions) (*Document, error) {
	l := &latexWriter{document: newDocument(o)}
	title := nb.title(o.Title)
	l.md = newLatexMarkdown(l, title, nb.oneTitle(title))
	for i, c := range nb.Cells {
		l.cell = i
		if err := l.write(c); err != nil {
			return nil, fmt.Errorf("notebook: LaTeX: cell %d: %w", i+1, err)
		}
	}
	set := l.md.titleTeX
	if set == "" {
		set = latex.Document(title)
	}
	head := strings.NewReplacer("$CHARACTERS", latex.Preamble+latex.Declarations(strings.Join(l.raw, "")), "$TITLE", set, "$PLAIN", pdfTitle(title)).Replace(latexHead)
	return &Document{Text: head + strings.TrimRight(l.b.String(), "\n") + "\n\n\\end{document}\n", Files: l.files}, nil
}

// pdfTitle is the title in the letters that the properties of a PDF file take
// without commands.
func pdfTitle(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`\\{}$&#^_~%`, r) {
			return -1
		}
		return r
	}, s))
}

const latexHead = `\documentclass[10pt,a4paper]{article}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[utf8]{inputenc}
  \IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}
\else
  \usepackage{fontspec}
\fi
\ifXeTeX\suppressfontnotfounderror=1\fi % hyperref asks for a font of forms
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath,amssymb,array,booktabs,fancyvrb,float,graphicx,xcolor}
\IfFileExists{ulem.sty}{\usepackage[normalem]{ulem}}{}
\providecommand\sout[1]{#1}
\usepackage[hidelinks]{hyperref}
\hypersetup{pdftitle={$PLAIN}}
$CHARACTERS\definecolor{chestrule}{HTML}{D0D7DE}
\definecolor{chestred}{HTML}{B3261E}
\newcommand\chestkeyword[1]{\textcolor[HTML]{B3261E}{#1}}
\newcommand\cheststring[1]{\textcolor[HTML]{0A5C2B}{#1}}
\newcommand\chestcomment[1]{\textcolor[HTML]{57606A}{#1}}
\newcommand\chestnumber[1]{\textcolor[HTML]{0B57D0}{#1}}
\newcommand\chestname[1]{\textcolor[HTML]{6F42C1}{#1}}
\newcommand\chestcut{\textcolor[HTML]{8C959F}{\ensuremath{\hookrightarrow}}}
\DefineVerbatimEnvironment{ChestCode}{Verbatim}{commandchars=\\\{\},fontsize=\footnotesize,frame=single,framesep=2mm,rulecolor=\color{chestrule}}
\DefineVerbatimEnvironment{ChestText}{Verbatim}{commandchars=\\\{\},fontsize=\footnotesize,xleftmargin=2mm}
\DefineVerbatimEnvironment{ChestError}{Verbatim}{commandchars=\\\{\},fontsize=\footnotesize,frame=leftline,framesep=2mm,framerule=1mm,rulecolor=\color{chestred}}
\setcounter{secnumdepth}{0}
\setlength\belowcaptionskip{4pt}
\renewcommand\cite[2][]{[\texttt{\detokenize{#2}}]} % there is no bibliography
\setlength\parindent{0pt}
\setlength\parskip{6pt plus 2pt}
\emergencystretch=3em
\title{$TITLE}
\author{}
\date{}

\begin{document}
\maketitle

`

type latexWriter struct {
	*document
	b   strings.Builder
	md  *latexMarkdown
	raw []string // outputs that went in as they are
}

// block writes a part and the empty line after it.
func (l *latexWriter) block(s string) {
	if s = strings.Trim(s, "\n"); s != "" {
		l.b.WriteString(s + "\n\n")
	}
}

func (l *latexWriter) write(c *Cell) error {
	s := c.shows(l.o.NoInput).onPaper()
	switch {
	case !s.cell:
	case c.Kind == Markdown:
		l.block(l.md.convert(c, c.Source))
	case c.rawFor("text/latex", "text/x-tex"):
		l.raw = append(l.raw, c.Source)
		l.block(c.Source)
	case c.Kind == Code:
		if s.input && !c.blank() {
			l.block(latexCode(c.Source, "go"))
		}
		for k, out := range c.Outputs {
			if !s.output {
				break
			}
			if err := l.output(k, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *latexWriter) output(k int, out *Output) error {
	switch out.Kind {
	case StreamOutput:
		l.block(latexText("ChestText", plain(onTerminal(out.Text))))
	case ErrorOutput:
		l.block(latexText("ChestError", plain(out.errorText())))
	case DisplayOutput, ResultOutput:
		return l.bundle(k, out)
	}
	return nil
}

// floating is the place that a table asks for; in a notebook it stands where it
// was shown.
var floating = regexp.MustCompile(`(\\begin\{(?:table|figure)\})(?:\[[^\]]*\])?`)

func (l *latexWriter) bundle(k int, out *Output) error {
	mime := out.first("text/latex", "application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp",
		"text/markdown", "text/plain", "text/html", "application/json", "image/svg+xml")
	text, _ := out.Data[mime].(string)
	switch {
	case mime == "":
	case mime == "text/latex":
		if isMath(text) {
			text = latex.Math(text)
		}
		l.raw = append(l.raw, text)
		l.block(floating.ReplaceAllString(text, "$1[H]"))
	case mime == "text/markdown":
		l.block(l.md.convert(&Cell{}, text))
	case mime == "application/json":
		data, err := json.MarshalIndent(out.Data[mime], "", "  ")
		if err != nil {
			return err
		}
		l.block(latexText("ChestText", string(data)))
	case mime == "image/svg+xml":
		l.block(latexText("ChestText", "SVG picture: "+l.add([]byte(text), l.outputName(k, "svg"))))
	case mime == "application/pdf":
		data, err := out.picture(mime)
		if err != nil {
			return err
		}
		l.block(centred(`\includegraphics[width=\linewidth,height=.8\textheight,keepaspectratio]{` + l.add(data, l.outputName(k, "pdf")) + `}`))
	case endings[mime] != "":
		return l.raster(k, out, mime)
	default:
		l.block(latexText("ChestText", out.plainForm()))
	}
	return nil
}

// raster writes a picture of pixels, or what it says of itself when it is none.
func (l *latexWriter) raster(k int, out *Output, mime string) error {
	data, err := out.picture(mime)
	if err != nil {
		return err
	}
	data, ending, size := asPNG(data)
	if ending == "" {
		l.block(latexText("ChestText", out.plainForm()))
		return nil
	}
	if m, ok := out.Metadata[mime].(map[string]any); ok { // the size that was asked for
		if w, ok := m["width"].(json.Number); ok {
			if n, err := w.Int64(); err == nil && n > 0 && n < 1<<16 {
				size = image.Pt(int(n), size.Y*int(n)/max(size.X, 1))
			}
		}
	}
	l.block(centred(includeGraphics(l.add(data, l.outputName(k, ending)), size)))
	return nil
}

// includeGraphics shows a picture at 96 pixels an inch, smaller where the page
// is.
func includeGraphics(name string, size image.Point) string {
	const wide, high = 450.0, 600.0 // points of the page
	w, h := float64(max(size.X, 1))*0.75, float64(max(size.Y, 1))*0.75
	w *= min(1, wide/w, high/h)
	return fmt.Sprintf(`\includegraphics[width=%.0fpt]{%s}`, max(w, 1), name)
}

func centred(s string) string { return "\\begin{center}\n" + s + "\n\\end{center}" }
