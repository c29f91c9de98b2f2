package latex

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ in, text, verbatim string }{
		{"& % $ # _", `\& \% \$ \# \_`, "& % $ # _"},
		{`{a}\b`, `\{a\}\textbackslash{}b`, `\chestopen{}a\chestclose{}\chestslash{}b`},
		{"~^", `\textasciitilde{}\textasciicircum{}`, "~^"},
		{"a--b ---", `a-{}-b -{}-{}-`, "a--b ---"},
		{"''`", "'{}'\\`{}", `\chestquote{}\chestquote{}\chestgrave{}`},
		{"é ö", "é ö", "é ö"},
		{"κ ≤ 1 ‖x‖²", `\ensuremath{\kappa} \ensuremath{\leq} 1 \ensuremath{\|}x\ensuremath{\|}\textsuperscript{2}`, `\ensuremath{\kappa} \ensuremath{\leq} 1 \ensuremath{\|}x\ensuremath{\|}\textsuperscript{2}`},
		{"x₁₀", `x\textsubscript{1}\textsubscript{0}`, `x\textsubscript{1}\textsubscript{0}`},
		{"█▏", `\rule{.5em}{.65em}\makebox[.5em][l]{\rule{.0625em}{.65em}}`, `\rule{.5em}{.65em}\makebox[.5em][l]{\rule{.0625em}{.65em}}`},
		{"a\x1b\x00\u200db\u2009c\xff", "ab c\ufffd", `ab c\chestchar{FFFD}`},
		{"中", "中", `\chestchar{4E2D}`},
		{"a\nb\tc", "a\nb\tc", "a\nb\tc"},
	} {
		if got := Text(c.in); got != c.text {
			t.Errorf("Text(%q) = %q, want %q", c.in, got, c.text)
		}
		if got := Verbatim(c.in); got != c.verbatim {
			t.Errorf("Verbatim(%q) = %q, want %q", c.in, got, c.verbatim)
		}
	}
}

func TestMath(t *testing.T) {
	for in, want := range map[string]string{
		`$\kappa_1 < κ$`: `$\kappa_1 < \kappa $`, "$x² ⊕ yᵢ$": `$x^{2} \oplus  y_{i}$`, "$‖x‖ ∈ ℝ$": `$\|x\| \in  \mathbb{R}$`,
	} {
		if got := Math(in); got != want {
			t.Errorf("Math(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestVerbatimCommands: what a table gives for Verbatim has none of the
// characters that are commands there.
func TestVerbatimCommands(t *testing.T) {
	for r, c := range words {
		if c != "-" && strings.ContainsAny(c, "-,'`<>") {
			t.Errorf("%c: %s", r, c)
		}
	}
}

// every is a text with every character that there is a command or a letter for, and
// some that there is none for.
func every() string {
	var all []rune
	for r := range words {
		all = append(all, r)
	}
	for r := range signs {
		all = append(all, r)
	}
	for r := range raised {
		all = append(all, r)
	}
	for r := range lowered {
		all = append(all, r)
	}
	slices.Sort(all)
	var b strings.Builder
	for i, r := range append(all, []rune(letters+"中文😀ąþ\u0301")...) {
		b.WriteRune(r)
		if i%40 == 39 {
			b.WriteByte('\n')
		}
	}
	for r := rune(' '); r < 0x7f; r++ {
		b.WriteString("\n" + string(r) + " x" + string(r) + string(r) + "y" + string(r))
	}
	return b.String()
}

// TestCompiles sets every character in text, in Verbatim and raw, by the
// installed engines, without an error.
func TestCompiles(t *testing.T) {
	found := 0
	for _, engine := range []string{"pdflatex", "xelatex"} {
		path, err := exec.LookPath(engine)
		if err != nil {
			continue
		}
		found++
		raw := strings.Join(strings.FieldsFunc(every(), func(r rune) bool { return r < utf8.RuneSelf }), "")
		doc := "\\documentclass{article}\n\\usepackage{iftex}\n\\ifPDFTeX\\usepackage[utf8]{inputenc}\\else\\usepackage{fontspec}\\fi\n\\usepackage{amssymb,xcolor,fancyvrb}\n" +
			Preamble + Declarations(raw) + "\\begin{document}\n\\section{" + strings.ReplaceAll(Document(every()), "\n", " ") + "}\n" +
			strings.ReplaceAll(Document(every()), "\n", "\n\n") + "\n\n\\texttt{" + strings.ReplaceAll(Document(every()), "\n", " ") + "}\n\n" +
			"\\begin{Verbatim}[commandchars=\\\\\\{\\}]\n" + Verbatim(every()) + "\n\\end{Verbatim}\n" + raw + "\n\\end{document}\n"
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "t.tex"), []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "t.tex")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", engine, err, out[max(0, len(out)-3000):])
		}
	}
	switch {
	case found > 0:
	case os.Getenv("CHEST_FULL") == "1":
		t.Fatal("CHEST_FULL=1: no LaTeX is installed (sh tests/install.sh)")
	default:
		t.Skip("SKIPPED: no LaTeX is installed (sh tests/install.sh)")
	}
}
