package echarts

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"strings"
	"testing"
)

// TestPackedScript: the packed library is the whole one, half as large, and
// nothing in its script ends the element.
func TestPackedScript(t *testing.T) {
	got := PackedScript()
	if strings.Contains(got, "</") || strings.Contains(got, "<!--") || len(got) > len(Library)/2 {
		t.Errorf("the script has %d bytes, or holds a tag", len(got))
	}
	_, data, _ := strings.Cut(got, `atob("`)
	data, _, _ = strings.Cut(data, `"`)
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	library, err := io.ReadAll(z)
	if err != nil || string(library) != closed(Library) {
		t.Errorf("unpacked %d bytes of %d: %v", len(library), len(Library), err)
	}
}
