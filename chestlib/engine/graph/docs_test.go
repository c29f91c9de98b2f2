package graph_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestDocs: each snippet of docs/gorgonia.md is part of an Example or test here or
// in device, which the compiler has seen and the tests have run.
func TestDocs(t *testing.T) {
	plain := func(s string) string { // without indentation
		return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(s, "")
	}
	doc, err := os.ReadFile("../../../docs/gorgonia.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples []byte
	for _, name := range []string{"example_test.go", "device/example_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, text...)
	}
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
	if len(snippets) < 5 {
		t.Fatalf("%d snippets", len(snippets))
	}
	for _, s := range snippets {
		if !strings.Contains(plain(string(examples)), plain(s[1])) {
			t.Errorf("no Example has\n%s", s[1])
		}
	}
}
