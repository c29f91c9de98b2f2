package main

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/chestlab/chest/kernel/notebook"
)

// report writes one page of all chapters, without their code.
func (f paperFlags) report(index string, chapters []*chapter) error {
	page := &notebook.Notebook{Cells: []*notebook.Cell{markdownCell(f.contents(chapters))}}
	for _, c := range chapters {
		done := c.there()
		if done {
			nb, err := notebook.Read(c.path("notebook.ipynb"))
			if err != nil {
				return err
			}
			c.nb = nb
		}
		page.Cells = append(page.Cells, markdownCell(fmt.Sprintf("---\n\n<a id=%q></a>\n", c.name)))
		if !done {
			page.Cells = append(page.Cells, markdownCell("# "+c.title()+"\n\n**"+c.outcome()+"**\n"))
			continue
		}
		page.Cells = append(page.Cells, c.nb.Cells...)
		if files := c.files(); files != "" {
			page.Cells = append(page.Cells, markdownCell(files))
		}
	}
	var b bytes.Buffer
	if err := page.HTML(&b, notebook.HTMLOptions{Title: "chest paper", NoInput: true}); err != nil {
		return err
	}
	return notebook.WriteFile(index, b.Bytes())
}

func markdownCell(source string) *notebook.Cell {
	return &notebook.Cell{Kind: notebook.Markdown, Source: source}
}

// contents is the head of the report.
func (f paperFlags) contents(chapters []*chapter) string {
	var b strings.Builder
	b.WriteString("# Report\n\n")
	if f.quick {
		b.WriteString("**A quick run: every training was cut short to see that all works. The numbers mean nothing.**\n\n")
	}
	fmt.Fprintf(&b, "Made by chest %s with `chest paper`. Numbers are of these runs, unless a row says that it is published, with its source.\n\n", version)
	b.WriteString("| notebook | time | |\n|---|---|---|\n")
	for _, c := range chapters {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | ", escapeCell(c.title()), c.name, escapeCell(c.brief()))
		if c.there() {
			fmt.Fprintf(&b, "[code](%s)", c.link("notebook.html"))
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

// title is the notebook's heading, or its name.
func (c *chapter) title() string {
	if t := c.nb.Title(); t != "" {
		return t
	}
	return c.name
}

// brief is outcome without its reasons.
func (c *chapter) brief() string {
	brief, _, _ := strings.Cut(c.outcome(), ":")
	return brief
}

// outcome says in words how the chapter stands.
func (c *chapter) outcome() string {
	switch {
	case c.absent != "":
		return "left out: " + c.absent
	case c.failed != nil:
		return "failed: " + c.failed.Error()
	case !c.there():
		return "not run yet"
	}
	took := time.Duration(c.stamp.Seconds * float64(time.Second)).Round(time.Second)
	if n := len(c.stamp.Records); n > 0 {
		return fmt.Sprintf("%d runs, %s", n, took)
	}
	return took.String()
}

// files lists the tables and figures of a chapter.
func (c *chapter) files() string {
	forms := map[string][]string{}
	var names []string
	for _, f := range c.stamp.Files {
		dir := path.Dir(f)
		if dir != "tables" && dir != "figures" {
			continue
		}
		name := strings.TrimSuffix(f, path.Ext(f))
		if forms[name] == nil {
			names = append(names, name)
		}
		forms[name] = append(forms[name], f)
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("Files:\n\n")
	for _, name := range names {
		b.WriteString("- " + name + ":")
		for _, f := range forms[name] {
			fmt.Fprintf(&b, " [%s](%s)", strings.TrimPrefix(path.Ext(f), "."), c.link(f))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// link is a file of the chapter as the report has it.
func (c *chapter) link(file string) string {
	return (&url.URL{Path: c.name + "/" + file}).EscapedPath()
}

// escapeCell makes text fit for a cell of a Markdown table.
func escapeCell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`).Replace(s)
}
