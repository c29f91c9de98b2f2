package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/term"
)

// TestKeysDropLine: Ctrl-C drops what is typed and does not end the session.
func TestKeysDropLine(t *testing.T) {
	var typed []io.Reader // one read each
	for _, s := range []string{"a", "b\x03x := ", "1\r", "\x1b[Dy\x03z\x03", "\x04"} {
		typed = append(typed, strings.NewReader(s))
	}
	k := &keys{in: io.MultiReader(typed...)}
	terminal := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{k, io.Discard}, "")
	for i, want := range []struct {
		line    string
		dropped bool
		err     error
	}{{"", true, nil}, {"x := 1", false, nil}, {"", true, nil}, {"", false, io.EOF}} {
		k.dropped = false
		line, err := terminal.ReadLine()
		if line != want.line || k.dropped != want.dropped || !errors.Is(err, want.err) {
			t.Errorf("line %d: %q, dropped %v, %v; want %+v", i+1, line, k.dropped, err, want)
		}
	}
}
