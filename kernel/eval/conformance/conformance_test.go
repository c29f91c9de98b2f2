package conformance

import (
	"go/token"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/symbols"
	"github.com/chestlab/chest/kernel/typedata"
)

// floor is how many cases the engine passes at least.
const floor = 358

// TestEngine runs all cases on the engine of the kernel. None may be wrong but
// those of known.txt, which is to become empty.
func TestEngine(t *testing.T) {
	if raceDetector {
		t.Skip("SKIPPED: the interpreter itself races between goroutines of cells")
	}
	types := typedata.New(token.NewFileSet())
	report, err := Run(func(stdout io.Writer) (eval.Evaluator, error) {
		return eval.New(eval.Options{
			Symbols: symbols.All(), Importer: types, Imports: []string{"fmt"},
			Stdout: stdout, Stderr: io.Discard,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + report.String())
	known := knownFaults(t)
	for _, o := range report {
		id := o.Case.ID()
		if o.Verdict == Wrong && !slices.Contains(known, id) {
			t.Errorf("%s, cell %d: %s\n%s\nwant\n%s\ngot\n%s", id, o.Cell+1, o.Why, o.Case.Cells[o.Cell].Code, o.Case.Cells[o.Cell].Want, o.Got)
		}
		if o.Verdict != Wrong && slices.Contains(known, id) {
			t.Errorf("%s is %s: take it out of known.txt", id, o.Verdict)
		}
	}
	if n := report.Count(Passed); n < floor {
		t.Errorf("%d cases pass, fewer than %d", n, floor)
	}
}

// knownFaults lists the cases that are known to be wrong.
func knownFaults(t *testing.T) (ids []string) {
	t.Helper()
	text, err := os.ReadFile("known.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			ids = append(ids, line)
		}
	}
	return ids
}

// TestCasesAreDistinct checks the form of the cases.
func TestCasesAreDistinct(t *testing.T) {
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.ID()] {
			t.Errorf("%s is there twice", c.ID())
		}
		seen[c.ID()] = true
		wants := ""
		for _, cell := range c.Cells {
			wants += cell.Want
		}
		if wants == "" {
			t.Errorf("%s wants nothing", c.ID())
		}
	}
	for _, id := range knownFaults(t) {
		if !seen[id] {
			t.Errorf("known.txt has %s, which is no case", id)
		}
	}
}
