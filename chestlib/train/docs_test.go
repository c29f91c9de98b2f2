package train

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

// TestGPUDocs: docs/gpu.md has each sentence for having no GPU.
func TestGPUDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/gpu.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []int{-1, -2, -3, -4, 2, 34, 46, 100, 101, 209, 221, 222, 802, 803, 999} {
		e := &driver.Error{Code: code}
		if s := e.Sentence(); s == "" || !strings.Contains(string(text), "| "+s+" |") {
			t.Errorf("docs/gpu.md does not say %q (code %d)", s, code)
		}
	}
	if n := fmt.Sprintf("%d steps at once", stepsAhead); !strings.Contains(strings.ReplaceAll(string(text), "\n", " "), n) {
		t.Errorf("docs/gpu.md does not say %q", n)
	}
}
