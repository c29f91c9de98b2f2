package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/chestlab/chest/internal/durable"
)

// Folder is the place of one run in a folder of records:
//
//	config.json   what was asked for
//	record.json   what was found; it is written last, in one step
//	log.txt       what the run's processes wrote
//	attempts      a line for each time it was begun
//	lock          held by the process that is at it
//	checkpoint    of a run that is not done
//
// The files are the truth about a run, whatever a scheduler says.
type Folder struct {
	Dir string // of all records
	ID  string
}

func (f Folder) path(name string) string { return filepath.Join(f.Dir, f.ID, name) }

// State is where a run stands.
type State int

// The states of a run.
const (
	New        State = iota // never begun
	Running                 // a process is at it
	Unfinished              // stopped in good order; it goes on where it was
	Lost                    // its process ended without a word: killed, or the machine went down
	Failed                  // its process or its training ended with an error
	Done
)

// String is the state in a word.
func (s State) String() string {
	return [...]string{"new", "running", "unfinished", "lost", "failed", "done"}[s]
}

// Open makes the folder of a run and writes its config.
func (f Folder) Open(c Config) error {
	if err := os.MkdirAll(filepath.Join(f.Dir, f.ID), 0o777); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if _, err := os.Stat(f.path("config.json")); err == nil {
		return nil
	}
	return writeJSON(f.path("config.json"), c)
}

// Config is what the run was asked to do.
func (f Folder) Config() (Config, error) {
	text, err := readSmall(f.path("config.json"))
	if err != nil {
		return Config{}, fmt.Errorf("sweep: run %s: %w", f.ID, err)
	}
	c, err := ReadConfig(text)
	if err != nil {
		return c, fmt.Errorf("%s: %w", f.path("config.json"), err)
	}
	return c, nil
}

// Record is what the run found; fs.ErrNotExist if it is not done.
func (f Folder) Record() (r Record, err error) {
	text, err := readSmall(f.path("record.json"))
	if err != nil {
		return r, err
	}
	err = json.Unmarshal(text, &r)
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return r, fmt.Errorf("sweep: record %s: %w; remove it to run it again", f.path("record.json"), err)
	}
	return r, nil
}

// State looks at the files of the run.
func (f Folder) State() (State, error) {
	r, err := f.Record()
	switch {
	case err == nil && r.Failed != "":
		return Failed, nil
	case err == nil:
		return Done, nil
	case !errors.Is(err, fs.ErrNotExist):
		return Failed, err
	}
	if f.Attempts() == 0 {
		return New, nil
	}
	release, err := durable.Lock(f.path("lock"))
	if errors.Is(err, durable.ErrLocked) {
		return Running, nil
	} else if err != nil {
		return Lost, fmt.Errorf("sweep: run %s: %w", f.ID, err)
	}
	defer release()
	end, err := os.ReadFile(f.path("end"))
	switch {
	case err != nil:
		return Lost, nil
	case string(end) == stopped:
		return Unfinished, nil
	}
	return Failed, nil
}

// Attempts is how often the run was begun.
func (f Folder) Attempts() int {
	text, _ := readSmall(f.path("attempts"))
	return strings.Count(string(text), "\n")
}

// Error is why the run has failed, "" if it has not.
func (f Folder) Error() string {
	if r, err := f.Record(); err == nil {
		return r.Failed
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	if end, err := readSmall(f.path("end")); err == nil && string(end) != stopped {
		return string(end)
	}
	return ""
}

// Log is the last lines of the run's log, at most n.
func (f Folder) Log(n int) []string {
	file, err := os.Open(f.path("log.txt"))
	if err != nil {
		return nil
	}
	defer file.Close()
	if st, err := file.Stat(); err == nil && st.Size() > 16<<10 {
		file.Seek(-16<<10, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(file, 16<<10))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[max(len(lines)-n, 0):]
}

// Clear forgets that the run was tried: its record, attempts and checkpoint. Its
// config and log stay. The checkpoint goes first: a Clear that is killed leaves none
// that the next attempt would go on from.
func (f Folder) Clear() error {
	for _, name := range []string{"checkpoint", "attempts", "end", "record.json"} {
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

// Folders are the runs in a folder of records, by their IDs' order.
func Folders(dir string) ([]Folder, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	var found []Folder
	for _, e := range all {
		for _, name := range []string{"config.json", "record.json"} {
			if _, err := os.Stat(filepath.Join(dir, e.Name(), name)); err == nil {
				found = append(found, Folder{dir, e.Name()})
				break
			}
		}
	}
	return found, nil
}

// largestFile is the size in bytes of the largest file of a run that is read.
const largestFile = 16 << 20

func readSmall(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > largestFile {
		return nil, fmt.Errorf("%s has %d bytes; at most %d are read", path, st.Size(), largestFile)
	}
	return os.ReadFile(path)
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err == nil {
		err = durable.Write(path, func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err })
	}
	if err != nil {
		return fmt.Errorf("sweep: %s: %w", path, err)
	}
	return nil
}
