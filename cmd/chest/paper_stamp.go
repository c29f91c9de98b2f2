package main

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
	"time"

	"github.com/chestlab/chest/chestlib/sweep"
	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/kernel/notebook"
)

// about is what a notebook's metadata say to chest paper, under "chest".
type about struct {
	Quick []string `json:"quick"` // parameters of a short run
	Needs []string `json:"needs"` // names of data without which it cannot run
}

func aboutNotebook(nb *notebook.Notebook) (a about, err error) {
	text, err := json.Marshal(nb.Metadata["chest"])
	if err == nil {
		err = json.Unmarshal(text, &a)
	}
	if err != nil {
		return a, fmt.Errorf("its metadata, chest: %w", err)
	}
	return a, nil
}

// basis is all that decides what a notebook makes.
type basis struct {
	Cells   string   // a hash of the sources
	Params  []string `json:",omitempty"`
	Data    string   // a hash of names, sizes and times of the files below CHEST_DATA
	Program string   // a hash of this program
}

// stamp is what a notebook has made, of what. It is written last.
type stamp struct {
	Basis   basis
	Records []string // of the runs of its sweeps, their folders' names
	Files   []string // in its folder
	Seconds float64
}

const stampFile = "stamp.json"

// present is the basis of data and program as they are now.
func present() (p basis, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	file, err := os.Open(self)
	if err != nil {
		return p, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return p, err
	}
	p.Program = short(sum.Sum(nil))
	p.Data, err = dataHash(os.Getenv(datasets.DataVariable))
	return p, err
}

func short(sum []byte) string { return hex.EncodeToString(sum[:12]) }

// dataHash is of names, sizes and times of all files below dir; "" without it.
func dataHash(dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err == nil {
			fmt.Fprintf(sum, "%q %d %d\n", path, st.Size(), st.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", datasets.DataVariable, err)
	}
	return short(sum.Sum(nil)), nil
}

// cellsHash is of the cells' kinds, tags and sources, in order.
func cellsHash(nb *notebook.Notebook) string {
	sum := sha256.New()
	for _, c := range nb.Cells {
		fmt.Fprintf(sum, "%q %q %q\n", c.Kind, c.Tags(), c.Source)
	}
	return short(sum.Sum(nil))
}

// look reads the stamp of the last run and says why the notebook is to run again.
func (c *chapter) look(out string) (s stamp, why string) {
	text, err := os.ReadFile(c.path(stampFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, "it has not been run to its end"
	case err != nil:
		return s, err.Error()
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, "its stamp is damaged"
	}
	switch p, q := s.Basis, c.basis; {
	case p.Cells != q.Cells:
		return s, "its cells have changed"
	case !slices.Equal(p.Params, q.Params):
		return s, "its parameters have changed"
	case p.Data != q.Data:
		return s, "the data have changed"
	case p.Program != q.Program:
		return s, "the program has changed"
	}
	there := records(out)
	for _, r := range s.Records {
		if !slices.Contains(there, r) {
			return s, "the record " + r + " is gone"
		}
	}
	for _, f := range s.Files {
		if _, err := os.Stat(c.path(f)); err != nil {
			return s, f + " is gone"
		}
	}
	return s, ""
}

// records are the runs of the paper that have one.
func records(out string) (names []string) {
	all, _ := os.ReadDir(filepath.Join(out, "runs")) // a folder that cannot be read has none: all is made anew
	for _, d := range all {
		if _, err := os.Stat(filepath.Join(out, "runs", d.Name(), "record.json")); err == nil {
			names = append(names, d.Name())
		}
	}
	return names
}

// made is the stamp of a run of the notebook that began at a moment and ended well.
func (c *chapter) made(out string, begun time.Time) (s stamp, err error) {
	s = stamp{Basis: c.basis, Seconds: time.Since(begun).Seconds()}
	if s.Records, err = sweep.Used(filepath.Join(out, "runs"), begun); err != nil {
		return s, err
	}
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(c.dir, path)
		s.Files = append(s.Files, filepath.ToSlash(rel))
		return err
	})
	return s, err
}

func (s stamp) write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return durable.Write(filepath.Join(dir, stampFile), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
