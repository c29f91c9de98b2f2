package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// told is the exit code of a command line and what it writes to the two streams.
func told(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var ends [2]func() string
	for i, f := range []**os.File{&os.Stdout, &os.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		was, text := *f, make(chan string)
		go func() {
			all, _ := io.ReadAll(r)
			text <- string(all)
		}()
		*f = w
		ends[i] = func() string {
			*f = was
			w.Close()
			return <-text
		}
	}
	defer func() { out, errs = ends[0](), ends[1]() }()
	return run(args), "", ""
}

// TestUnknownWord: an unknown word behind a command with commands below it is an
// error in one line that has the word, the nearest command and where help is.
func TestUnknownWord(t *testing.T) {
	for words, want := range map[string]string{
		"swep":                     `chest has no command "swep" (did you mean sweep?); see 'chest --help'`,
		"runs shwo":                `runs has no command "shwo" (did you mean show?); see 'chest runs --help'`,
		"runs shwo 3f --form html": `runs has no command "shwo" (did you mean show?); see 'chest runs --help'`,
		"runs --dir x shwo":        `runs has no command "shwo" (did you mean show?); see 'chest runs --help'`,
		"runs remove 3f":           `runs has no command "remove" (did you mean rm?); see 'chest runs --help'`,
		"runs ls":                  `runs has no command "ls" (did you mean list?); see 'chest runs --help'`,
		"data chek cub":            `data has no command "chek" (did you mean check?); see 'chest data --help'`,
		"bench setp --json":        `bench has no command "setp" (did you mean step?); see 'chest bench --help'`,
		"features jion a b":        `features has no command "jion" (did you mean join?); see 'chest features --help'`,
		"completion bsh":           `completion has no command "bsh" (did you mean bash?); see 'chest completion --help'`,
		"runs zzzzzzz":             `runs has no command "zzzzzzz"; see 'chest runs --help'`,
		"runs shwo --help":         `runs has no command "shwo" (did you mean show?); see 'chest runs --help'`,
		"help shwo":                `chest has no command "shwo"; see 'chest --help'`,
		"help runs shwo":           `runs has no command "shwo" (did you mean show?); see 'chest runs --help'`,
	} {
		code, out, errs := told(t, strings.Fields(words)...)
		if code != exitUsage || out != "" || errs != "chest: "+want+"\n" {
			t.Errorf("chest %s: exit %d, prints %q and\n%s want\n%s", words, code, out, errs, want)
		}
	}
}

// TestWrongCalls: wrong arguments, values and flags are an error in one line that
// says what came, what is wanted and where help is.
func TestWrongCalls(t *testing.T) {
	for words, want := range map[string]string{
		"run":                          "run got no argument; want chest run NOTEBOOK; see 'chest run --help'",
		"run a b":                      `run got ["a" "b"]; want chest run NOTEBOOK; see 'chest run --help'`,
		"version x":                    `version got ["x"]; want chest version; see 'chest version --help'`,
		"runs compare 3f":              `runs compare got ["3f"]; want chest runs compare RUN RUN…; see 'chest runs compare --help'`,
		"trial":                        "trial got no argument; want chest trial ID; see 'chest trial --help'",
		"study loses":                  `study: there is no study "loses"; there are losses, choices; see 'chest study --help'`,
		"run x --nope":                 "run: unknown flag: --nope; see 'chest run --help'",
		"run x --timeout soon":         `run: --timeout "soon"; want a time such as 90s or 10m; see 'chest run --help'`,
		"bench gemm --m x":             `bench gemm: --m "x"; want a whole number; see 'chest bench gemm --help'`,
		"bench step --seconds x":       `bench step: --seconds "x"; want a number; see 'chest bench step --help'`,
		"run x --keep-going=x":         `run: --keep-going "x"; want true or false; see 'chest run --help'`,
		"data import x.npz --out x.gz": "data: --out x.gz; want a name that ends in .safetensors; see 'chest data import --help'",
	} {
		code, out, errs := told(t, strings.Fields(words)...)
		if code != exitUsage || out != "" || errs != "chest: "+want+"\n" {
			t.Errorf("chest %s: exit %d, prints %q and\n%s want\n%s", words, code, out, errs, want)
		}
	}
}

// TestParentsAlone: a command with commands below it, alone or asked for help,
// prints help and ends well.
func TestParentsAlone(t *testing.T) {
	root := rootCommand()
	root.InitDefaultCompletionCmd()
	parents := 0
	for _, c := range visible(root) {
		if !c.HasSubCommands() {
			continue
		}
		parents++
		path := strings.Fields(c.CommandPath())[1:]
		calls := [][]string{append(path, "--help"), append([]string{"help"}, path...)}
		if c.Name() != "features" { // which computes
			calls = append(calls, path)
		}
		for _, args := range calls {
			code, out, errs := told(t, args...)
			if code != 0 || errs != "" || !strings.Contains(out, c.Commands()[0].Short) {
				t.Errorf("chest %s: exit %d, says %q, prints %.200q", strings.Join(args, " "), code, errs, out)
			}
		}
	}
	if parents < 6 {
		t.Errorf("only %d commands have commands below them", parents)
	}
}
