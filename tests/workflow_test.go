package tests

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestWorkflow: GitHub's workflow is YAML, takes Go's version from go.mod, has no
// secrets and calls the make targets.
func TestWorkflow(t *testing.T) {
	raw, err := os.ReadFile("../.github/workflows/ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	var w struct {
		Permissions map[string]string
		Jobs        map[string]struct {
			Steps []struct {
				Run, Uses string
				With      map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(raw, &w); err != nil {
		t.Fatal(err)
	}
	var targets []string
	for name, job := range w.Jobs {
		fromMod := false
		for _, s := range job.Steps {
			fromMod = fromMod || strings.HasPrefix(s.Uses, "actions/setup-go@") && s.With["go-version-file"] == "go.mod"
			if target, ok := strings.CutPrefix(s.Run, "make "); ok {
				targets = append(targets, target)
			}
		}
		if !fromMod {
			t.Errorf("job %s does not take Go from go.mod", name)
		}
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if !strings.Contains(string(makefile), "\n"+target+":") {
			t.Errorf("calls make %s, which the Makefile lacks", target)
		}
	}
	slices.Sort(targets)
	if want := []string{"fresh", "fuzz", "packaging", "slurm", "test"}; !slices.Equal(targets, want) {
		t.Errorf("calls make %v, want %v", targets, want)
	}
	if strings.Contains(string(raw), "secrets.") || w.Permissions["contents"] != "read" || len(w.Permissions) != 1 {
		t.Errorf("secrets, or permissions %v", w.Permissions)
	}
}
