package worker

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/chestlab/chest/kernel/eval"
)

// NameDied is the name of the error of a cell whose worker died.
const NameDied = "worker died"

// death is how a worker came to its end.
type death struct {
	ending
	dump   string // what its run time wrote at the end
	reason string // why the host killed it; "" when it did not
}

// fatal turns the run time's words for what ends a Go program into ours. The
// first that fits counts.
var fatal = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`stack overflow|goroutine stack exceeds`), "endless recursion: the stack grew beyond its limit"},
	{regexp.MustCompile(`(?m)^fatal error: (concurrent map .*)$`), "two goroutines used one map at the same time ($1)"},
	{regexp.MustCompile(`out of memory|cannot allocate memory`), "it was out of memory: the system did not give it what a cell asked for"},
	{regexp.MustCompile(`(?m)^fatal error: all goroutines are asleep`), "all goroutines were waiting for each other (deadlock)"},
	{regexp.MustCompile(`(?m)^panic: (.*)$`), "a goroutine panicked: $1"},
	{regexp.MustCompile(`(?m)^SIG(SEGV|BUS): |\[signal SIG(SEGV|BUS)`), "compiled code used memory that is not its own (SIG$1$2)"},
	{regexp.MustCompile(`(?m)^SIG([A-Z]+): (.*)$`), "it got the signal SIG$1 ($2)"},
	{regexp.MustCompile(`(?m)^fatal error: (.*)$`), "the Go run time gave up: $1"},
}

// cause is why the worker died, as the end of a sentence.
func (d death) cause() string {
	switch {
	case d.reason != "":
		return d.reason
	case d.dump != "":
		for _, f := range fatal {
			if m := f.pattern.FindStringSubmatchIndex(d.dump); m != nil {
				return strings.TrimSuffix(string(f.pattern.ExpandString(nil, f.text, d.dump, m)), " [recovered]")
			}
		}
		return "its run time gave up"
	case d.signal == "killed":
		return "it was killed from outside (SIGKILL); the system does that when the memory of the machine runs out"
	case d.signal != "":
		return "it got a signal: " + d.signal
	case d.code == 0 || d.code == 1:
		return fmt.Sprintf("os.Exit(%d) or log.Fatal was called", d.code)
	}
	return fmt.Sprintf("os.Exit(%d) was called", d.code)
}

// err is the error of the cell that ran.
func (d death) err() *eval.Error {
	e := &eval.Error{Name: NameDied, Message: "the process that runs the cells ended: " + d.cause() + ". Its variables are lost; %restore runs the cells again that had succeeded."}
	e.Traceback = append(e.Traceback, e.Message)
	for _, l := range essence(d.dump) {
		e.Traceback = append(e.Traceback, "    "+l)
	}
	return e
}

// dumpLines bounds what is shown of a crash dump.
const dumpLines = 12

// uninteresting begin the lines of a stack that say nothing about a cell.
var uninteresting = regexp.MustCompile(`^(runtime[./]|reflect\.|internal/|github\.com/traefik/yaegi/|github\.com/chestlab/chest/kernel/(eval|worker)|panic\(|created by|goroutine |exit status|\s|r\d+ |[re][a-z0-9]{1,3} +0x|\.\.\.|main\.main|golang\.org|sync\.)`)

// essence is the few lines of a crash dump that tell something: what it says
// before the stacks, and the compiled functions of the first of them.
func essence(dump string) (lines []string) {
	head, stacks, _ := strings.Cut(dump, "\ngoroutine ")
	for l := range strings.Lines(head) {
		l = strings.TrimRight(l, "\r\n")
		if l != "" && len(lines) < dumpLines/2 && !strings.HasPrefix(l, "PC=") && !strings.HasPrefix(l, "runtime: sp=") && !strings.HasPrefix(l, "runtime stack") && !uninteresting.MatchString(l) {
			lines = append(lines, cut(l))
		}
	}
	first, _, _ := strings.Cut(stacks, "\n\n")
	_, first, _ = strings.Cut(first, "\n")
	for l := range strings.Lines(first) {
		l = strings.TrimRight(l, "\r\n")
		if l != "" && len(lines) < dumpLines && !uninteresting.MatchString(l) {
			lines = append(lines, cut("in "+strings.TrimSuffix(l, "(...)")))
		}
	}
	return lines
}

// cut shortens a line.
func cut(l string) string {
	const most = 300
	if len(l) > most {
		return strings.ToValidUTF8(l[:most], "") + "…"
	}
	return l
}
