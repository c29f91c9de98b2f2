package sweep

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// WriteIndex writes an SQLite database of the runs, in place of the file at path,
// for questions in SQL: the table runs with a line for each run, as WriteCSV has
// it, and the table epochs with a line for each epoch. The folders of the runs
// remain the truth; the index can be thrown away.
func WriteIndex(path string, all []Entry) (err error) {
	temp := path + ".new"
	os.Remove(temp)
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
	paths := Paths(all, false)
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
	for _, p := range paths {
		defs = append(defs, quoted(p)) // of no kind: numbers stay numbers
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
		for _, p := range paths {
			values = append(values, orNull(e.Fields[p]))
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

func orNull(v string) any {
	if v == "" {
		return nil
	}
	return v
}

// quoted is a name in SQL.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
