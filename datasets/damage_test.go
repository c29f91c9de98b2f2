package datasets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// textFormat describes a text file of a data set to those who damage it.
type textFormat struct {
	toy, dir, file string // the file lies in dir of the toy
	images         string // folder of the images, in dir
	first          int    // line of the first row, from 1
	separator      string
	columns        []string // kind of each column: id, class, flag, path, text
	known          string   // what a number that is no known class is told
}

var textFormats = []textFormat{
	{"cub", "CUB_200_2011", "images.txt", "images", 1, " ", []string{"id", "path"}, ""},
	{"cub", "CUB_200_2011", "image_class_labels.txt", "images", 1, " ", []string{"id", "class"}, "is not in classes.txt"},
	{"cub", "CUB_200_2011", "classes.txt", "images", 1, " ", []string{"id", "text"}, ""},
	{"cars-text", "cars196", "cars_annos.txt", ".", 1, ",", []string{"path", "class", "flag"}, ""},
	{"sop", "Stanford_Online_Products", "Ebay_train.txt", ".", 2, " ", []string{"id", "class", "class", "path"}, ""},
	{"sop", "Stanford_Online_Products", "Ebay_test.txt", ".", 2, " ", []string{"id", "class", "class", "path"}, ""},
	{"inshop", "In-shop Clothes Retrieval Benchmark", "Eval/list_eval_partition.txt", "Img", 3, " ", []string{"path", "item", "status"}, ""},
	{"folder", "toy_folder", "split.csv", ".", 2, ",", []string{"path", "status"}, ""},
}

// damage is one way to spoil a format: a new text for the file, or a change of
// the disk, and what the error says.
type damage struct {
	name string
	line int // 0: the error names no line
	want string
	text string                              // of the file; "" with a nil do: it is removed
	do   func(t *testing.T, base, at string) // instead of writing text
}

// rows of a file, without line ends.
func rowsOf(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// damages are the ways to spoil a format, made from its good text.
func (f textFormat) damages(text string) []damage {
	rows := rowsOf(text)
	k := f.first // the second row, from 0: its line is k+1
	line := k + 1
	with := func(change func(row string) string) string {
		out := append([]string(nil), rows...)
		out[k] = change(out[k])
		return strings.Join(out, "\n") + "\n"
	}
	fields := func(row string) []string {
		if f.separator == "," {
			return strings.Split(row, ",")
		}
		return strings.Fields(row)
	}
	replaced := func(column int, value string) string {
		return with(func(row string) string {
			c := fields(row)
			c[column] = value
			return strings.Join(c, f.separator)
		})
	}
	path := ""
	all := []damage{
		{name: "missing file", want: "no "},
		{name: "empty", text: " ", want: "the file is empty (1 bytes); put"},
		{name: "blank lines", text: "\n\r\n\n", want: "the file is empty (4 bytes); put"},
		{name: "no row at all", text: "\ufeff", want: "the file is empty (3 bytes)"},
		{name: "short row", line: line, text: with(func(r string) string { c := fields(r); return strings.Join(c[:len(c)-1], f.separator) }), want: "; "},
		{name: "long row", line: line, text: with(func(r string) string { return "7" + f.separator + r }), want: "; "},
		{name: "twice", line: line, text: with(func(string) string { return rows[k-1] }), want: fmt.Sprintf("on line %d", line-1)},
		{name: "other separator", line: line, text: with(func(r string) string { return strings.Join(fields(r), ";") }), want: "; "},
		{name: "no text", line: line, text: with(func(r string) string { return r[:3] + "\xff" + r[3:] }), want: "is not UTF-8; save"},
		{name: "control", line: line, text: with(func(r string) string { return r[:3] + "\x00" + r[3:] }), want: "control characters; put"},
		{name: "long line", line: line, text: with(func(r string) string { return r + strings.Repeat("x", 5000) }), want: "want at most 4096"},
		{name: "UTF-16", text: "\xff\xfe1\x00 \x00", want: "UTF-16; save it as UTF-8"},
		{name: "ends of old Macs", line: 1, text: strings.ReplaceAll(text, "\n", "\r"), want: "; "},
		{name: "cut in a row", line: len(rows), text: text[:len(text)-len(rows[len(rows)-1])+1], want: "; "},
		{name: "folder", want: "not a file but d---------; put", do: func(t *testing.T, _, at string) {
			must(t, os.Remove(at), os.Mkdir(at, 0o700))
		}},
		{name: "link out", want: "a symbolic link leads out of the folder; copy", do: func(t *testing.T, _, at string) {
			other := filepath.Join(t.TempDir(), "x")
			must(t, os.Rename(at, other), os.Symlink(other, at))
		}},
		{name: "huge", want: "want at most 67108864", do: func(t *testing.T, _, at string) { must(t, os.Truncate(at, 10<<30)) }},
	}
	for column, kind := range f.columns {
		switch kind {
		case "id", "class", "flag":
			for _, bad := range []struct{ value, want string }{
				{"x7", `is "x7"; want a whole number`}, {"1.5", `is "1.5"; want`}, {"+3", `is "+3"; want`}, {"0x1", `is "0x1"; want`},
				{"-1", "is -1; want"}, {"99999999", "is 99999999; want"}, {"99999999999999999999999", `is "99999999999999999999999"; want`}, {"1e3", `is "1e3"; want`},
			} {
				all = append(all, damage{name: f.columns[column] + " " + bad.value, line: line, text: replaced(column, bad.value), want: bad.want})
			}
			if kind != "flag" {
				all = append(all, damage{name: kind + " 0", line: line, text: replaced(column, "0"), want: "is 0; want 1 to"})
			}
			if kind == "id" {
				all = append(all, damage{name: "id twice", line: line, text: replaced(column, fields(rows[k-1])[column]), want: "stands on line"})
			}
			if f.known != "" && kind == "class" {
				all = append(all, damage{name: "unknown class", line: line, text: replaced(column, "77"), want: "class_id 77 " + f.known + "; add"})
			}
		case "item":
			for _, bad := range []struct{ value, want string }{
				{"7", `item_id is "7"; want one like`}, {"id_", `is ""; want`}, {"id_x", `is "x"; want`}, {"id_-7", "is -7; want 0 to"},
				{"id_99999999999", "is 99999999999; want"},
			} {
				all = append(all, damage{name: "item " + bad.value, line: line, text: replaced(column, bad.value), want: bad.want})
			}
		case "status":
			for _, bad := range []string{"Train", "val", "7", "train,"} {
				all = append(all, damage{name: "status " + bad, line: line, text: replaced(column, bad), want: "want train, query"})
			}
		case "path":
			path = fields(rows[k])[column]
			for _, bad := range []struct{ value, want string }{
				{"../../etc/passwd", "may leave its folder; want"}, {"a/../../x.jpg", "may leave its folder; want"}, {"./a.jpg", "want a plain"},
				{"a//b.jpg", "want a plain"}, {"..", "want a plain"}, {".", "want a plain"}, {"/etc/passwd", `"/etc/passwd" is absolute; want`},
				{`a\b.jpg`, "backslash; separate"}, {"C:/x.jpg", "is absolute; want"}, {strings.Repeat("a/", 600) + "x.jpg", "a path of 1205 bytes; want"},
				{"a/none.jpg", "; "}, {"a.jpg/", "want a plain"},
			} {
				all = append(all, damage{name: "path " + bad.value[:min(len(bad.value), 20)], line: line, text: replaced(column, bad.value), want: bad.want})
			}
			image := func(base string) string { return filepath.Join(base, f.images, filepath.FromSlash(path)) }
			if f.toy != "folder" { // there the folder tells what is there
				all = append(all, damage{name: "image missing", line: line, want: "there is no such file", do: func(t *testing.T, base, _ string) { must(t, os.Remove(image(base))) }},
					damage{name: "image is a folder", line: line, want: "it is no file; unpack", do: func(t *testing.T, base, _ string) {
						must(t, os.Remove(image(base)), os.Mkdir(image(base), 0o700))
					}})
			}
			linked := damage{name: "image links out", line: line, want: "symbolic link leads out of the folder; copy", do: func(t *testing.T, base, _ string) {
				must(t, os.Remove(image(base)), os.Symlink("/etc/passwd", image(base)))
			}}
			if f.toy == "folder" {
				linked.line = 0
			}
			all = append(all, linked)
		}
	}
	if f.first > 1 {
		h := f.first - 2 // of the header, from 0
		header := func(s string) string {
			out := append([]string(nil), rows...)
			out[h] = s
			return strings.Join(out, "\n") + "\n"
		}
		all = append(all,
			damage{name: "no header", line: h + 1, text: strings.Join(append(append([]string(nil), rows[:h]...), rows[h+1:]...), "\n"), want: "the header is"},
			damage{name: "other header", line: h + 1, text: header("a b c"), want: `the header is "a b c"; want ` + rows[h]},
			damage{name: "header of another case", line: h + 1, text: header(strings.ToUpper(rows[h])), want: "; want " + rows[h]},
			damage{name: "header alone", text: strings.Join(rows[:f.first-1], "\n"), want: "; "})
	}
	return append(all, f.own(rows)...)
}

// own are the ways that only this format can be spoilt.
func (f textFormat) own(rows []string) []damage {
	text := func(rows ...string) string { return strings.Join(rows, "\n") + "\n" }
	switch f.file {
	case "images.txt":
		return []damage{{name: "id without a class", line: 37, text: text(append(rows, "99 a/b.jpg")...), want: "image_id 99 has no class"}}
	case "image_class_labels.txt":
		return []damage{
			{name: "a class without its image", line: 37, text: text(append(rows, "99 1")...), want: "is not in images.txt; put"},
			{name: "an image without its class", want: "images.txt line 36: image_id 36 has no class", text: text(rows[:35]...)},
			{name: "train alone", want: "no image for cub test", text: text(strings.Split(strings.ReplaceAll(strings.Join(rows, "\n"), " 10", " "), "\n")...)},
		}
	case "classes.txt":
		return []damage{{name: "name twice", line: 2, text: text(append([]string{rows[0], "2 001.Blazon_A"}, rows[2:]...)...), want: "stands on line 1 already"}}
	case "Ebay_test.txt":
		return []damage{
			{name: "class of training", line: 2, text: text(rows[0], strings.Replace(rows[1], " 4 1 ", " 1 1 ", 1)), want: "class_id 1 is in Ebay_train.txt line 2, too; training"},
			{name: "path of training", line: 2, text: text(rows[0], "99 4 1 bicycle_final/111085122871_0.JPG"), want: "of this list or the other already"},
			{name: "two superclasses", line: 3, text: text(rows[0], rows[1], strings.Replace(rows[2], " 4 1 ", " 4 2 ", 1)), want: "class_id 4 has super_class_id 2, on line 2 it has 1; want one"},
		}
	case "Eval/list_eval_partition.txt":
		return []damage{
			{name: "count too large", line: 1, text: text(append([]string{"37"}, rows[1:]...)...), want: "promises 37 rows, there are 36; the file was cut short"},
			{name: "count too small", line: 1, text: text(append([]string{"35"}, rows[1:]...)...), want: "promises 35 rows, there are 36"},
			{name: "no count", line: 1, text: text(rows[1:]...), want: "the number of rows is"},
			{name: "negative count", line: 1, text: text(append([]string{"-36"}, rows[1:]...)...), want: "is -36; want 1"},
			{name: "item of both", line: 4, text: text(append([]string{rows[0], rows[1], rows[2], strings.Replace(rows[3], "train", "query", 1)}, rows[4:]...)...), want: `item_id "id_00000002" is query, on line 3 it is not; training`},
			{name: "no gallery", text: strings.ReplaceAll(text(rows...), "gallery", "query"), want: "no row has the evaluation_status gallery"},
		}
	case "split.csv":
		return []damage{
			{name: "no picture", line: 2, text: "path,split\nx/y.jpg,train\n", want: `there is no picture "x/y.jpg" in`},
			{name: "no query", text: strings.ReplaceAll(text(rows...), "query", "train"), want: "no row says query"},
			{name: "no train", text: strings.ReplaceAll(text(rows...), "train", "test"), want: "no row says train"},
			{name: "no comma", line: 3, text: text(rows[0], rows[1], "x"), want: `"x" has no comma; want path,split`},
		}
	}
	return nil
}

// must stops at the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamage spoils each text format in thirty ways or more. The error names
// file and line and what was found there, and says what to do.
func TestDamage(t *testing.T) {
	ways := map[string]int{}
	for _, f := range textFormats {
		dir := toyDir(t, f.toy)
		at := filepath.Join(dir, f.dir, filepath.FromSlash(f.file))
		good, err := os.ReadFile(at)
		must(t, err)
		for _, d := range f.damages(string(good)) {
			ways[f.toy]++
			dir, at := dir, at
			if d.do != nil { // a toy of its own
				dir = toyDir(t, f.toy)
				base := filepath.Join(dir, f.dir)
				at = filepath.Join(base, filepath.FromSlash(f.file))
				d.do(t, base, at)
			} else if d.text == "" {
				if f.file == "split.csv" {
					continue // it may be missing
				}
				must(t, os.Remove(at))
			} else {
				must(t, os.WriteFile(at, []byte(d.text), 0o600))
			}
			_, err := readers[f.toy](context.Background(), dir)
			where := filepath.Join(f.dir, filepath.FromSlash(f.file))
			if d.line > 0 {
				where += fmt.Sprintf(" line %d: ", d.line)
			}
			if d.name == "an image without its class" || d.name == "missing file" || d.name == "train alone" || f.toy == "folder" && d.name == "image links out" {
				where = ""
			}
			if err == nil || !strings.Contains(err.Error(), d.want) || !strings.Contains(err.Error(), where) || !strings.Contains(err.Error(), ";") {
				t.Errorf("%s %s: %s: got %v, want %q and %q and a remedy", f.toy, f.file, d.name, err, where, d.want)
			}
			if len(fmt.Sprint(err)) > 1500 {
				t.Errorf("%s %s: %s: the error has %d bytes", f.toy, f.file, d.name, len(err.Error()))
			}
			if d.do == nil {
				must(t, os.WriteFile(at, good, 0o600))
			}
		}
	}
	for toy, n := range ways {
		if n < 30 {
			t.Errorf("%s: only %d ways", toy, n)
		}
	}
}

// TestHarmless: what editors and other systems do to text files changes nothing.
func TestHarmless(t *testing.T) {
	for _, f := range textFormats {
		dir := toyDir(t, f.toy)
		at := filepath.Join(dir, f.dir, filepath.FromSlash(f.file))
		good, err := os.ReadFile(at)
		must(t, err)
		want, err := readers[f.toy](context.Background(), dir)
		must(t, err)
		for name, text := range map[string]string{
			"CRLF": strings.ReplaceAll(string(good), "\n", "\r\n"), "BOM": "\ufeff" + string(good), "no end": strings.TrimSuffix(string(good), "\n"),
			"blank lines": strings.ReplaceAll(string(good), "\n", "\n\n") + "\n \n", "BOM, CRLF": "\ufeff" + strings.ReplaceAll(string(good), "\n", "\r\n"),
		} {
			must(t, os.WriteFile(at, []byte(text), 0o600))
			if got, err := readers[f.toy](context.Background(), dir); err != nil || fmt.Sprintf("%+v", *got.Train) != fmt.Sprintf("%+v", *want.Train) || fmt.Sprintf("%+v", *got.Query) != fmt.Sprintf("%+v", *want.Query) {
				t.Errorf("%s %s: %s: %v", f.toy, f.file, name, err)
			}
		}
	}
}
