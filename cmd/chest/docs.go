package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/chestlab/chest/internal/durable"
)

//go:generate go run . docs --markdown ../../docs/commands.md

// docsCommand writes the command reference and the man pages from the same
// texts that help shows.
func docsCommand() *cobra.Command {
	var markdown, man string
	c := &cobra.Command{
		Use:   "docs [--markdown FILE] [--man DIR]",
		Short: "Write the command reference or the man pages from the help texts",
		Long: `Write what help says about all commands as one Markdown file, docs/commands.md
of the repository, and as man pages chest.1, chest-run.1, … in a folder, which
man reads with -M or after a copy to share/man/man1.`,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if markdown == "" && man == "" {
				return exitError{exitUsage, fmt.Errorf("docs: nothing to do: give --markdown FILE or --man DIR")}
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			if markdown != "" {
				if err := writeReference(root, markdown); err != nil {
					return failed(fmt.Errorf("docs: %w", err))
				}
			}
			if man != "" {
				return failed(writeMan(root, man))
			}
			return nil
		},
	}
	c.Flags().StringVar(&markdown, "markdown", "", "the file of the reference")
	c.Flags().StringVar(&man, "man", "", "the folder of the man pages; it is made if it is not there")
	return c
}

// referenceHead is how the reference begins.
const referenceHead = "<!-- Made by go generate ./cmd/chest from the help texts: do not edit. -->\n\n" +
	"# The commands\n\n" +
	"What `chest help COMMAND` says, of all commands.\n\n" +
	"Exit codes: 0 done; 1 a cell failed, or the command could not do its work; 2 the command\n" +
	"line is wrong; 124 a `--timeout` ran out; 130 Ctrl-C.\n\n" +
	"Man pages: `chest docs --man man/man1`, then `man -M man chest-run`. Completion of\n" +
	"commands and flags by Tab: `source <(chest completion bash)` in `~/.bashrc`; other shells\n" +
	"[below](#chest-completion).\n\n"

// writeReference writes all commands below root as one Markdown file.
func writeReference(root *cobra.Command, path string) error {
	var b bytes.Buffer
	b.WriteString(referenceHead)
	commands := visible(root)
	for _, c := range commands {
		fmt.Fprintf(&b, "%s- [%s](#%s): %s\n", strings.Repeat("  ", max(0, depth(c)-1)), c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
	}
	for _, c := range commands {
		b.WriteByte('\n')
		var one bytes.Buffer
		if err := doc.GenMarkdown(c, &one); err != nil {
			return err
		}
		text, _, _ := strings.Cut(one.String(), "### SEE ALSO") // the list at the head has them
		b.WriteString(strings.TrimSpace(text))
		b.WriteByte('\n')
	}
	return durable.Write(path, func(w io.Writer) error {
		_, err := b.WriteTo(w)
		return err
	})
}

// visible lists c and the commands below it that help names, in its order.
func visible(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			all = append(all, visible(sub)...)
		}
	}
	return all
}

// depth is how many commands stand above c.
func depth(c *cobra.Command) int {
	n := 0
	c.VisitParents(func(*cobra.Command) { n++ })
	return n
}

// writeMan writes a man page for each command into dir, each whole or not at all.
func writeMan(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("docs: %w", err)
	}
	for _, c := range visible(root) {
		page := filepath.Join(dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		head := &doc.GenManHeader{Section: "1", Source: "chest", Manual: "chest"}
		if err := durable.Write(page, func(w io.Writer) error { return doc.GenMan(c, head, w) }); err != nil {
			return fmt.Errorf("docs: man pages in %s: %w", filepath.Clean(dir), err)
		}
	}
	return nil
}
