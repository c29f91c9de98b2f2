package datasets

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the lists of data sets, far above the published ones.
const (
	maxListing = 64 << 20  // bytes
	maxLines   = 2_000_000 // twenty times the longest
	maxLine    = 4096      // bytes
)

// listing is a text file of a data set, a row on each line. Windows line ends,
// a byte order mark and blank lines are accepted.
type listing struct {
	base *base
	name string // slash-separated, in the base
	text string
}

// listing reads a text file.
func (b *base) listing(name string) (*listing, error) {
	data, err := b.read(name, maxListing)
	if err != nil {
		return nil, err
	}
	l := &listing{b, name, string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))}
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, l.errorf(0, "the text is UTF-16; save it as UTF-8")
	case strings.TrimSpace(l.text) == "":
		return nil, l.errorf(0, "the file is empty (%d bytes); put the published file there again", len(data))
	}
	return l, nil
}

// errorf is an error about a line, or about the file if line is 0.
func (l *listing) errorf(line int, format string, args ...any) error {
	return l.base.errorf(l.name, line, format, args...)
}

// each calls do with the number and the text of each line that is not blank,
// until it returns an error.
func (l *listing) each(do func(line int, text string) error) error {
	line := 0
	for text := range strings.Lines(l.text) {
		line++
		if line > maxLines {
			return l.errorf(line, "more than %d lines; this is not the published file", maxLines)
		}
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
		if len(text) > maxLine {
			return l.errorf(line, "%d bytes, which begin %s; want at most %d", len(text), shown(text), maxLine)
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if !utf8.ValidString(text) {
			return l.errorf(line, "%s is not UTF-8; save the file as UTF-8", shown(text))
		}
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
			return l.errorf(line, "%s has control characters; put the published file there again", shown(text))
		}
		if err := do(line, text); err != nil {
			return err
		}
	}
	return nil
}

// fields cuts a line at white space into as many fields as form, such as
// "id path", has words.
func (l *listing) fields(line int, text, form string) ([]string, error) {
	fields, want := strings.Fields(text), len(strings.Fields(form))
	if len(fields) != want {
		return nil, l.errorf(line, "%s has %d fields; want %d, separated by spaces: %s", shown(text), len(fields), want, form)
	}
	return fields, nil
}

// integer is a field as a number from low to high.
func (l *listing) integer(line int, field, what string, low, high int) (int, error) {
	n, err := strconv.Atoi(field)
	if err != nil || field[0] == '+' {
		return 0, l.errorf(line, "%s is %s; want a whole number from %d to %d", what, shown(field), low, high)
	}
	if n < low || n > high {
		return 0, l.errorf(line, "%s is %d; want %d to %d", what, n, low, high)
	}
	return n, nil
}

// image checks the path of an image.
func (l *listing) image(line int, p string) error {
	if err := checkPath(p); err != nil {
		return l.errorf(line, "%w", err)
	}
	return nil
}

// once remembers on which line something stood and refuses it a second time.
type once map[string]int

func (o once) check(l *listing, line int, what, value string) error {
	if before, ok := o[value]; ok {
		return l.errorf(line, "%s %s stands on line %d already; every one may stand there once: delete one of the two", what, shown(value), before)
	}
	o[value] = line
	return nil
}

// leftover says that AppleDouble files, ._name, were skipped.
func leftover(n int) []string {
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d files whose names begin with ._ were skipped: they are no images but what macOS leaves in archives", n)}
}
