package tests

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// document is a Markdown file, or the Markdown cells of a notebook, taken apart.
type document struct {
	links   []string
	anchors map[string]bool // of the headings, as GitHub names them
}

// parseDocument reads Markdown.
func parseDocument(source []byte) document {
	d := document{anchors: map[string]bool{}}
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	ast.Walk(md.Parser().Parse(text.NewReader(source)), func(n ast.Node, enter bool) (ast.WalkStatus, error) {
		if !enter {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			d.links = append(d.links, string(n.Destination))
		case *ast.Image:
			d.links = append(d.links, string(n.Destination))
		case *ast.Heading:
			slug := anchor(plainText(n, source))
			for i, name := 0, slug; ; name = fmt.Sprintf("%s-%d", slug, i) {
				if i++; !d.anchors[name] {
					d.anchors[name] = true
					break
				}
			}
		}
		return ast.WalkContinue, nil
	})
	return d
}

// plainText is the text of a node without its marks.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	ast.Walk(n, func(n ast.Node, enter bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if enter {
				b.Write(n.Segment.Value(source))
			}
		case *ast.String:
			if enter {
				b.Write(n.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// anchor is the name that GitHub gives a heading: small letters, digits, - and _
// stay, spaces become -, all else goes.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// readDocument reads a file: .md, or the Markdown cells of an .ipynb.
func readDocument(path string) (document, error) {
	raw, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".ipynb") {
		return parseDocument(raw), err
	}
	var nb struct {
		Cells []struct {
			Kind   string `json:"cell_type"`
			Source lines
		}
	}
	if err := json.Unmarshal(raw, &nb); err != nil {
		return document{}, err
	}
	var b strings.Builder
	for _, c := range nb.Cells {
		if c.Kind == "markdown" {
			b.WriteString(string(c.Source) + "\n\n")
		}
	}
	return parseDocument([]byte(b.String())), nil
}

// dangling says why a link of a file leads nowhere; "" if it does lead somewhere
// or leads out of the repository.
func dangling(from, link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return err.Error()
	}
	if u.Scheme != "" || u.Host != "" {
		return ""
	}
	target := from
	if u.Path != "" {
		target = filepath.Join(filepath.Dir(from), filepath.FromSlash(u.Path))
	}
	st, err := os.Stat(target)
	if err != nil {
		return err.Error()
	}
	if u.Fragment == "" {
		return ""
	}
	if st.IsDir() {
		return "a folder has no anchors"
	}
	d, err := readDocument(target)
	if err != nil {
		return err.Error()
	}
	if !d.anchors[u.Fragment] {
		return "there is no heading for #" + u.Fragment
	}
	return ""
}

// documents lists all that people read.
func documents(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../*/README.md", "../notebooks/*.ipynb", "../.github/*.md", "../.github/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// TestLinks: every link from one file of the repository to another, or to a
// heading, leads there; and every page is reached from the README or the index.
func TestLinks(t *testing.T) {
	reached, links := map[string]bool{}, 0
	for _, path := range documents(t) {
		d, err := readDocument(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, link := range d.links {
			links++
			if why := dangling(path, link); why != "" {
				t.Errorf("%s: the link to %s: %s", path, link, why)
			}
			if file, _, _ := strings.Cut(link, "#"); path == "../docs/README.md" && file != "" {
				reached[filepath.Join("../docs", file)] = true
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links found", links)
	}
	pages, _ := filepath.Glob("../docs/*.md")
	for _, page := range pages {
		if page != "../docs/README.md" && !reached[page] {
			t.Errorf("docs/README.md does not name %s", page)
		}
	}
}

// TestDangling: links that lead nowhere are found.
func TestDangling(t *testing.T) {
	dir := t.TempDir()
	from := writeFile(t, dir, "a.md", "# Two words, `code`!\n## Again\n## Again\n[x](b.md)\n")
	for link, fine := range map[string]bool{
		"#two-words-code": true, "#again": true, "#again-1": true, "#again-2": false, "b.md": false,
		"a.md#again": true, "a.md#nope": false, "https://example.org/x": true, ".": true, ".#x": false,
	} {
		if why := dangling(from, link); (why == "") != fine {
			t.Errorf("%s: %q", link, why)
		}
	}
	if d, err := readDocument(from); err != nil || len(d.links) != 1 || d.links[0] != "b.md" {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestMakeTargets: every make target that a page names is in the Makefile.
func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("(?m)(?:^|`)make ([a-z][a-z-]*)")
	for _, path := range documents(t) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(raw), -1) {
			if !strings.Contains(string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s names make %s, which the Makefile lacks", path, m[1])
			}
		}
	}
}

// TestNamedTests: every test, fuzzer and Example that a page names is there, so
// that the page does not speak of one that was renamed.
func TestNamedTests(t *testing.T) {
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(raw), -1) {
			there[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named, seen := regexp.MustCompile(`\b(?:Test|Fuzz|Example)[A-Z]\w*`), 0
	for _, path := range documents(t) {
		if filepath.Ext(path) != ".md" {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named.FindAllString(string(raw), -1) {
			if seen++; !there[name] {
				t.Errorf("%s names %s, which is nowhere", path, name)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d tests are named", seen)
	}
}

// TestRooms: docs/architecture.md names every package but the programs of the
// tests, and no other.
func TestRooms(t *testing.T) {
	text, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{"internal/asm/sgemm": true, "internal/asm/vmath": true} // of another module
	for _, p := range listPackages(t) {
		there[strings.TrimPrefix(p.ImportPath, module+"/")] = true
	}
	_, table, _ := strings.Cut(string(text), "| room |")
	table, _, _ = strings.Cut(table, "\n## ")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:cmd|kernel|chestlib|datasets|viz|internal|notebooks|tests)(?:/[a-z]+)*)`").FindAllStringSubmatch(table, -1) {
		if named[m[1]] = true; !there[m[1]] {
			t.Errorf("docs/architecture.md names %s, which is no package", m[1])
		}
	}
	for p := range there {
		if !named[p] && !strings.HasPrefix(p, "tests/") {
			t.Errorf("docs/architecture.md does not name %s", p)
		}
	}
}
