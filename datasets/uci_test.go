package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// flowers is an iris file made up by rule.
func flowers(line func(i int) string) []byte {
	var b bytes.Buffer
	for i := range 150 {
		b.WriteString(line(i) + "\n")
	}
	return b.Bytes()
}

func flower(i int) string {
	return fmt.Sprintf("%d.5,%d,1e-1,-0.25,%s", i, 2*i, uciSets[1].classes[i%3])
}

func TestUCI(t *testing.T) {
	want := uciSets[1]
	dir := folder(t, "iris.data", append(flowers(flower), '\n'))
	table, err := UCI(dir, "iris")
	if err != nil {
		t.Fatal(err)
	}
	if got := table.String(); got != "iris: 150 rows of 4 columns, 3 classes" {
		t.Error(got)
	}
	if !slices.Equal(table.Row(7), []float64{7.5, 14, 0.1, -0.25}) || table.Labels[7] != 1 || table.Names[7] != "8" {
		t.Errorf("row 7: %v, class %d, name %q", table.Row(7), table.Labels[7], table.Names[7])
	}
	table.Columns[0], table.Classes[0] = "x", "x"
	if want.columns[0] == "x" || want.classes[0] == "x" {
		t.Error("the table shares its names with the next one")
	}
	for _, sub := range []string{"iris", filepath.Join("uci", "iris")} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(sub)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(folder(t, "iris.data", bytes.ReplaceAll(flowers(flower), []byte("\n"), []byte("\r\n"))), filepath.Join(root, sub)); err != nil {
			t.Fatal(err)
		}
		t.Setenv(DataVariable, root)
		again, err := UCI("", "iris")
		if err != nil || !slices.Equal(again.X, table.X) || !slices.Equal(again.Labels, table.Labels) {
			t.Errorf("%s with other line ends: %v", sub, err)
		}
	}
}

func TestUCIPlace(t *testing.T) {
	t.Setenv(DataVariable, "")
	for name, dir := range map[string]string{"unset": "", "empty": t.TempDir()} {
		_, err := UCI(dir, "glass")
		if !errors.Is(err, ErrNoData) {
			t.Fatalf("%s: got %v, want ErrNoData", name, err)
		}
		for _, part := range []string{"glass.data", "archive.ics.uci.edu/dataset/42", "uci/glass", "CC BY 4.0", DataVariable, dir} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", name, err, part)
			}
		}
	}
	if _, err := UCI("", "wine"); err == nil || !strings.Contains(err.Error(), `"wine": use zoo, iris or glass`) {
		t.Errorf("unknown table: %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "zoo.data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := UCI(dir, "zoo"); err == nil || !strings.Contains(err.Error(), "zoo.data") {
		t.Errorf("a folder in the file's place: %v", err)
	}
}

// hostileFlowers are iris files that must give an error with a part of this text.
func hostileFlowers() []struct {
	name string
	data []byte
	want string
} {
	at := func(k int, line string) []byte {
		return flowers(func(i int) string {
			if i == k {
				return line
			}
			return flower(i)
		})
	}
	return []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "1 lines, want 150"},
		{"cut short", flowers(flower)[:1000], "lines, want 150"},
		{"another line", append(flowers(flower), flower(0)...), "151 lines, want 150"},
		{"huge", make([]byte, maxTable+1), "more than 1048576 bytes"},
		{"empty line", at(4, ""), "line 5: 1 fields, want 5"},
		{"few fields", at(4, "1,2,3,Iris-setosa"), "line 5: 4 fields, want 5"},
		{"many fields", at(4, "1,2,3,4,5,Iris-setosa"), "line 5: 6 fields, want 5"},
		{"no number", at(9, "1,two,3,4,Iris-setosa"), `line 10: column sepal width is "two": want a decimal number`},
		{"NaN", at(9, "1,NaN,3,4,Iris-setosa"), `is "NaN": want`},
		{"infinite", at(9, "1,Inf,3,4,Iris-setosa"), `is "Inf": want`},
		{"too large", at(9, "1,1e999,3,4,Iris-setosa"), `is "1e999": want`},
		{"hexadecimal", at(9, "1,0x1p-2,3,4,Iris-setosa"), `is "0x1p-2": want`},
		{"blank", at(9, "1, 2,3,4,Iris-setosa"), `is " 2": want`},
		{"missing value", at(9, "1,?,3,4,Iris-setosa"), `is "?": want`},
		{"long field", at(9, "1,"+strings.Repeat("1", 999)+",3,4,Iris-setosa"), `…": want`},
		{"class", at(149, "1,2,3,4,Iris-setosa "), `line 150: class "Iris-setosa ": want one of Iris-setosa, Iris-versicolor, Iris-virginica`},
	}
}

func TestHostileTables(t *testing.T) {
	for _, c := range hostileFlowers() {
		_, err := UCI(folder(t, "iris.data", c.data), "iris")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "iris.data") || !strings.Contains(err.Error(), "download the file again from https://") {
			t.Errorf("%s: got %v, want %q, the file's name and what to do", c.name, err, c.want)
		}
	}
	for _, name := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 41)} {
		if err := uciSets[0].row(new(Table), 0, append([]string{name}, slices.Repeat([]string{"1"}, 17)...)); err == nil || !strings.Contains(err.Error(), "want a plain one") {
			t.Errorf("animal %q: %v", name, err)
		}
	}
}

// TestUCIReal reads the published files, whose counts are known.
func TestUCIReal(t *testing.T) {
	if os.Getenv(DataVariable) == "" {
		t.Skipf("SKIPPED: the real tables of UCI are not tested: set %s to the folder that holds uci", DataVariable)
	}
	for _, k := range []struct {
		name, line, first string
		members           []int
		sum               float64
	}{
		{"zoo", "zoo: 101 rows of 16 columns, 7 classes", "aardvark", []int{41, 20, 5, 13, 4, 8, 10}, 287},
		{"iris", "iris: 150 rows of 4 columns, 3 classes", "1", []int{50, 50, 50}, 179.8},
		{"glass", "glass: 214 rows of 9 columns, 6 classes", "1", []int{70, 76, 17, 13, 9, 29}, 12.2},
	} {
		table, err := UCI("", k.name)
		if err != nil {
			t.Fatal(err)
		}
		members, sum := make([]int, len(table.Classes)), 0.0
		for i, c := range table.Labels {
			members[c]++
			sum += table.Row(i)[map[string]int{"zoo": 12, "iris": 3, "glass": 8}[k.name]]
		}
		if table.String() != k.line || table.Names[0] != k.first || !slices.Equal(members, k.members) {
			t.Errorf("%v: first %q, classes of %v, want %s, %q, %v", table, table.Names[0], members, k.line, k.first, k.members)
		}
		if math.Abs(sum-k.sum) > 0.05 {
			t.Errorf("%s: legs, widths or iron sum to %g, want %g", k.name, sum, k.sum)
		}
	}
}

// FuzzUCI: whatever the bytes, an error or a whole table of finite numbers.
func FuzzUCI(f *testing.F) {
	f.Add(flowers(flower), 1)
	for _, c := range hostileFlowers() {
		if len(c.data) < 1<<16 {
			f.Add(c.data, 1)
		}
	}
	f.Add(bytes.Repeat([]byte("bass,0,0,1,0,0,1,1,1,1,0,0,1,0,1,0,0,4\n"), 101), 0)
	f.Add(bytes.Repeat([]byte("1,1.52101,13.64,4.49,1.10,71.78,0.06,8.75,0.00,0.00,1\n"), 214), 2)
	f.Fuzz(func(t *testing.T, data []byte, which int) {
		s := uciSets[uint(which)%3]
		table, err := s.parse(data)
		if err != nil {
			return
		}
		if table.Len() != s.rows || len(table.Names) != s.rows || len(table.X) != s.rows*table.Dim() {
			t.Fatalf("%v with %d names and %d numbers", table, len(table.Names), len(table.X))
		}
		for _, v := range table.X {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("number %g", v)
			}
		}
		for _, c := range table.Labels {
			if c < 0 || c >= len(table.Classes) {
				t.Fatalf("class %d of %d", c, len(table.Classes))
			}
		}
	})
}
