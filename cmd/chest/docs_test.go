package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages lists the Markdown files that name commands.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 10 {
		t.Fatalf("only %q", all)
	}
	return all
}

var (
	shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	inline     = regexp.MustCompile("`((?:[A-Z_]+=\\S+ )?chest [a-z][^`]*)`")
	chestLine  = regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*chest( .*)$`)
)

// TestDocsNameCommands: every command that the documentation shows in a shell
// block is there, takes the flags and as many arguments; every one that it
// names in a sentence is there and has the flags.
func TestDocsNameCommands(t *testing.T) {
	seen := 0
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range shellBlock.FindAllStringSubmatch(string(raw), -1) {
			for _, line := range strings.Split(strings.ReplaceAll(block[1], "\\\n", " "), "\n") {
				for _, part := range strings.Split(line, " && ") {
					if m := chestLine.FindStringSubmatch(strings.TrimSpace(part)); m != nil {
						seen++
						if err := understood(m[1], true); err != nil {
							t.Errorf("%s: %s: %v", page, part, err)
						}
					}
				}
			}
		}
		for _, m := range inline.FindAllStringSubmatch(string(raw), -1) {
			seen++
			_, words, _ := strings.Cut(strings.ReplaceAll(m[1], "\n", " "), "chest ")
			if err := understood(words, false); err != nil {
				t.Errorf("%s: %s: %v", page, m[0], err)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d commands found", seen)
	}
}

// understood says what is wrong with the words behind chest, up to a comment, a
// pipe or a redirection. whole: the arguments must be those of a call.
func understood(words string, whole bool) error {
	words, _, _ = strings.Cut(words, " #")
	words = regexp.MustCompile(` [|>&<].*$`).ReplaceAllString(words, "")
	args := strings.Fields(words)
	root := rootCommand()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpFlag()
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	c.InitDefaultHelpFlag()
	if c.DisableFlagParsing {
		return nil
	}
	if err := c.ParseFlags(rest); err != nil {
		if !whole && strings.Contains(err.Error(), "needs an argument") {
			return nil // a sentence names the flag
		}
		return err
	}
	if len(c.Flags().Args()) > 0 && c.HasParent() && !c.Runnable() {
		return fmt.Errorf("%s has no command %s", c.CommandPath(), c.Flags().Arg(0))
	}
	if whole && (c.HasParent() || len(rest) > 0) {
		return c.ValidateArgs(c.Flags().Args())
	}
	return nil
}

// TestUnderstood: what is no command, no flag or no call is found.
func TestUnderstood(t *testing.T) {
	for words, fine := range map[string]bool{
		"swep plan.yaml": false, "sweep --plan x": false, "sweep": false, "runs shwo 3f": false,
		"sweep plan.yaml --set Train.Epochs=2 # two": true, "runs show 3f2a | head": true, "completion bash > x": true,
	} {
		if err := understood(words, true); (err == nil) != fine {
			t.Errorf("%q: %v", words, err)
		}
	}
}

// TestReference: the reference has every visible command and the man pages are
// one for each, and both say what help says.
func TestReference(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "commands.md")
	if code := run([]string{"docs", "--markdown", file, "--man", filepath.Join(dir, "man1")}); code != 0 {
		t.Fatalf("exit %d", code)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root := rootCommand()
	root.InitDefaultCompletionCmd()
	all := visible(root)
	for _, c := range all {
		if !strings.Contains(string(text), "\n## "+c.CommandPath()+"\n\n"+c.Short) {
			t.Errorf("the reference lacks %s", c.CommandPath())
		}
		page, err := os.ReadFile(filepath.Join(dir, "man1", strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"))
		if err != nil || !bytes.Contains(page, []byte(".SH SYNOPSIS")) {
			t.Errorf("man page of %s: %v", c.CommandPath(), err)
		}
	}
	written, err := os.ReadFile("../../docs/commands.md")
	if err != nil || !bytes.Equal(written, text) {
		t.Errorf("docs/commands.md is not what go generate ./cmd/chest writes (%v)", err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "man1", "*")); len(files) != len(all) {
		t.Errorf("%d man pages of %d commands", len(files), len(all))
	}
}

// TestManPagesAreReplaced: a page takes the place of another in one step.
func TestManPagesAreReplaced(t *testing.T) {
	dir := t.TempDir()
	old, page := filepath.Join(dir, "old"), filepath.Join(dir, "chest.1")
	if err := os.WriteFile(old, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(old, page); err != nil {
		t.Fatal(err)
	}
	if code := run([]string{"docs", "--man", dir}); code != 0 {
		t.Fatalf("exit %d", code)
	}
	text, err := os.ReadFile(page)
	if kept, _ := os.ReadFile(old); err != nil || string(kept) != "old" || !bytes.Contains(text, []byte(".SH SYNOPSIS")) {
		t.Errorf("the page was written over: %q, %v", kept, err)
	}
}

// TestCompletion: cobra's scripts are there for four shells, and the program
// answers what they ask.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := printed(t, "completion", shell); !strings.Contains(out, "__complete") {
			t.Errorf("%s: %.80q", shell, out)
		}
	}
	if out := printed(t, "__complete", "swe"); !strings.HasPrefix(out, "sweep\t") {
		t.Errorf("after swe: %q", out)
	}
	if out := printed(t, "__complete", "sweep", "--eng"); !strings.HasPrefix(out, "--engine\t") {
		t.Errorf("after --eng: %q", out)
	}
}

// printed is what a command writes.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	root := rootCommand()
	var b bytes.Buffer
	root.SetOut(&b)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
