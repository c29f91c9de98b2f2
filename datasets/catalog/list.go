// Package catalog looks after data sets on the disk: which are there, whether
// they are whole, and how to get those that are not.
package catalog

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/chestlab/chest/datasets"
)

// Progress is told how far a long work is.
type Progress interface {
	Start(total int, what string)
	Set(done int, status string)
	Finish(status string)
}

// silent is no progress.
type silent struct{}

func (silent) Start(int, string) {}
func (silent) Set(int, string)   {}
func (silent) Finish(string)     {}

// Entry says where a data set lies.
type Entry struct {
	Source datasets.Source
	Folder string // that holds it; "" if it is not there
	Would  string // folder where it would lie
	Err    error  // the folder may hold it, but cannot be read
}

// List looks for all published data sets in dir; "" means the folder that the
// environment variable CHEST_DATA names. Without a folder nothing is there.
func List(dir string) []Entry {
	if dir == "" {
		dir = os.Getenv(datasets.DataVariable)
	}
	var all []Entry
	for _, s := range datasets.Sources() {
		e := Entry{Source: s, Would: filepath.Join(or(dir, "$"+datasets.DataVariable), s.Folders[0])}
		if at, err := s.Find(dir); err == nil {
			if _, e.Err = os.ReadDir(at); e.Err == nil {
				e.Folder = at
			}
		}
		all = append(all, e)
	}
	return all
}

// or is the first text that is not empty.
func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// Info describes a published data set in lines of text.
func Info(s datasets.Source) string {
	text := fmt.Sprintf("%s (%s)\n", s.Title, s.Name)
	for _, c := range s.Counts {
		items := "images"
		if c.Part == "table" {
			items = "rows"
		}
		text += fmt.Sprintf("  %-8s %d %s of %d classes, as published\n", c.Part, c.Images, items, c.Classes)
	}
	text += fmt.Sprintf("  licence  %s\n  source   %s\n  page     %s\n  layout   %s: %s\n", s.Licence, s.Paper, s.Page, s.Folders[0], s.Layout)
	if s.Downloads == nil {
		return text + "  get      by hand from the page: chest does not fetch it\n"
	}
	return text + fmt.Sprintf("  get      chest data get %s\n", s.Name)
}
