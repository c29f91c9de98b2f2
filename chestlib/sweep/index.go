package sweep

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// WriteIndex writes an SQLite database of the runs, in place of the file at path,
// for questions in SQL: the table runs with a line for each run, as WriteCSV has
// it, and the table epochs with a line for each epoch. The folders of the runs
// remain the truth; the index can be thrown away.
func WriteIndex(path string, all []Entry) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("sweep: index: %w", err)
	}
	temp := file.Name()
	file.Close()
	os.Chmod(temp, 0o644)
	defer os.Remove(temp)
	db, err := sql.Open("sqlite", temp)
	if err != nil {
		return fmt.Errorf("sweep: index: %w", err)
	}
	err = fillIndex(db, all)
	if e := db.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return fmt.Errorf("sweep: index %s: %w", path, err)
	}
	return nil
}

func fillIndex(db *sql.DB, all []Entry) error {
	groups := byColumn(Paths(all, false))
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var defs []string
	for i, c := range columns {
		kind := "REAL"
		switch {
		case i == 0:
			kind = "TEXT PRIMARY KEY"
		case c == "state" || i >= len(columns)-5: // began, host, go, chest, failed
			kind = "TEXT"
		case c == "attempts" || c == "epochs":
			kind = "INTEGER"
		}
		defs = append(defs, c+" "+kind)
	}
	for _, g := range groups {
		defs = append(defs, quoted(g.name)+" NUMERIC") // texts of numbers become numbers, others stay texts
	}
	if _, err := tx.Exec("CREATE TABLE runs (" + strings.Join(defs, ", ") + ")"); err != nil {
		return err
	}
	if _, err := tx.Exec("CREATE TABLE epochs (id TEXT, epoch INTEGER, loss REAL, seconds REAL, PRIMARY KEY (id, epoch))"); err != nil {
		return err
	}
	into, err := tx.Prepare("INSERT INTO runs VALUES (?" + strings.Repeat(", ?", len(defs)-1) + ")")
	if err != nil {
		return err
	}
	epochs, err := tx.Prepare("INSERT INTO epochs VALUES (?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for _, e := range all {
		var values []any
		for _, v := range e.row() {
			values = append(values, orNull(v))
		}
		for _, g := range groups {
			values = append(values, orNull(g.of(e)))
		}
		if _, err := into.Exec(values...); err != nil {
			return err
		}
		for _, h := range e.Record.History {
			if _, err := epochs.Exec(e.ID, h.Number, h.Loss.Total, h.Seconds); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// group is a column of the table and the fields that it holds. SQL does not tell
// names apart by their case, in which the options of losses may be written as one
// likes.
type group struct {
	name  string
	paths []string
}

// of is the value of an entry, which has one of the paths.
func (g group) of(e Entry) string {
	for _, p := range g.paths {
		if v := e.Fields[p]; v != "" {
			return v
		}
	}
	return ""
}

// byColumn gives paths their columns. One that has the name of another column of
// the table begins with "config.".
func byColumn(paths []string) (all []group) {
	at := map[string]int{}
	for _, p := range paths {
		key := strings.ToLower(p)
		if i, there := at[key]; there {
			all[i].paths = append(all[i].paths, p)
			continue
		}
		at[key] = len(all)
		name := p
		if slices.Contains(columns, key) {
			name = "config." + p
		}
		all = append(all, group{name, []string{p}})
	}
	return all
}

func orNull(v string) any {
	if v == "" {
		return nil
	}
	return v
}

// quoted is a name in SQL.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
