package assist

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func seed(f *testing.F) {
	for _, tt := range completions {
		code, cursor := cursorIn(tt.code)
		f.Add(code, cursor)
	}
	for _, tt := range inspections {
		code, cursor := cursorIn(tt.code)
		f.Add(code, cursor)
	}
	f.Add("}\x00{", 1)
	f.Add("func", -1)
}

// inTime panics when it is not stopped soon: no text may keep a user waiting.
func inTime(code string, cursor int) *time.Timer {
	return time.AfterFunc(5*time.Second, func() { panic(fmt.Sprintf("no answer to %q at %d", code, cursor)) })
}

// FuzzComplete asks at any cursor of any text: the answer must lie in the text
// around the cursor, and its matches must differ and fit.
func FuzzComplete(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, code string, cursor int) {
		defer inTime(code, cursor).Stop()
		got := Complete(testEnv(), code, cursor)
		in := min(max(cursor, 0), len(code))
		if got.Start < 0 || got.Start > in || got.End > len(code) || got.End < got.Start {
			t.Fatalf("%q: %d to %d at %d", code, got.Start, got.End, cursor)
		}
		if utf8.ValidString(code) && !utf8.ValidString(code[got.Start:got.End]) {
			t.Fatalf("%q: %d to %d cuts a character", code, got.Start, got.End)
		}
		seen := map[string]bool{}
		for _, m := range got.Matches {
			if seen[m.Text] || m.Kind == "" || strings.Contains(m.Text, hidden) {
				t.Fatalf("%q: match %+v", code, m)
			}
			seen[m.Text] = true
		}
	})
}

func FuzzInspect(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, code string, cursor int) {
		defer inTime(code, cursor).Stop()
		for detail := range 2 {
			got := Inspect(testEnv(), code, cursor, detail)
			if got.Found != (got.Text != "") || got.Found != (got.Markdown != "") {
				t.Fatalf("%q at %d: %+v", code, cursor, got)
			}
		}
	})
}
