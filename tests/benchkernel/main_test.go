package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestChestFillsAllRows measures chest with few cells: each row of the table
// has a value.
func TestChestFillsAllRows(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "chest")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/chest").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rows, err := measure(peer{"chest", []string{binary, "kernel", "{connection_file}"}, languages["go"]}, 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range order {
		if len(rows[row.name]) == 0 {
			t.Errorf("no value for %q", row.name)
		}
	}
}
