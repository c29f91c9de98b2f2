package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chestlab/chest/internal/durable"
)

// plansFolder is in a folder of records: a file for each plan that was run there to
// its end, written again by each Run, with the name of the plan and a line for each
// of its runs.
const plansFolder = "plans"

// list writes the file of the plan.
func (c *course) list(tasks []Task) error {
	text, err := json.Marshal(c.Plan)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	sum := sha256.Sum256(text)
	path := filepath.Join(c.Dir, plansFolder, hex.EncodeToString(sum[:12])+".txt")
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", strings.Join(strings.Fields(c.Plan.Name), " "))
	for _, t := range tasks {
		b.WriteString(t.ID + "\n")
	}
	err = os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = durable.Write(path, func(w io.Writer) error { _, err := io.WriteString(w, b.String()); return err })
	}
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// Used are the runs of the plans that were run in dir to their end since a moment,
// those that were there already among them, sorted.
func Used(dir string, since time.Time) (ids []string, err error) {
	files, err := os.ReadDir(filepath.Join(dir, plansFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	for _, file := range files {
		st, err := file.Info()
		if filepath.Ext(file.Name()) != ".txt" || err == nil && st.ModTime().Before(since) {
			continue
		}
		text, err := readSmall(filepath.Join(dir, plansFolder, file.Name()))
		if err != nil {
			return nil, fmt.Errorf("sweep: %w", err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			if line != "" && line[0] != '#' {
				ids = append(ids, line)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
