package published

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestFile: every line of the file is a number of a row, and every row has a source.
func TestFile(t *testing.T) {
	n := 0
	for _, r := range all() {
		n += len(r.Numbers)
		if r.Method == "" || r.Source == "" || strings.Contains(strings.ToLower(r.Method), "chest") {
			t.Errorf("%+v", r)
		}
	}
	if lines := strings.Count(file, "\n") - 1; n != lines {
		t.Errorf("%d numbers of %d lines", n, lines)
	}
}

func TestRows(t *testing.T) {
	for _, name := range []string{"CUB-200-2011", "Cars196", "SOP", "In-Shop", "zoo"} {
		if !slices.Contains(Datasets(), name) {
			t.Errorf("no %s in %q", name, Datasets())
		}
	}
	whole, some := Rows("SOP"), Rows("SOP", "R@1000", "R@2000")
	if len(some) == 0 || len(some) >= len(whole) {
		t.Errorf("%d rows with R@1000, %d in all", len(some), len(whole))
	}
	for _, r := range some {
		if r.Dataset != "SOP" || len(r.Numbers) != 1 || r.Value("R@1000") != r.Numbers[0].Value || r.Value("R@1") != nil {
			t.Errorf("%+v", r)
		}
	}
	if (Row{}).Size() != nil || (Row{Dim: 64}).Size() != 64 {
		t.Error("Size is not Dim, or nil")
	}
	defer func() {
		if s := fmt.Sprint(recover()); !strings.Contains(s, `no data set "CUB"`) || !strings.Contains(s, "CUB-200-2011") {
			t.Errorf("panic %q", s)
		}
	}()
	Rows("CUB")
}

// TestReadErrors: what is wrong is named with its line.
func TestReadErrors(t *testing.T) {
	const good = "method,backbone,dim,dataset,metric,value,source\nA,R,64,X,R@1,50.5,s\n\"A\nB\",R,,X,R@1,50.5,s\n"
	rows, err := read(strings.NewReader(good))
	if err != nil || len(rows) != 2 || rows[0].Dim != 64 || rows[1].Value("R@1") != 50.5 {
		t.Fatalf("%+v, %v", rows, err)
	}
	for line, says := range map[string]string{
		"A,R,64,X,R@2,fifty,s": `line 5: value "fifty"`,
		"A,R,64,X,R@2,NaN,s":   `line 5: value "NaN"`,
		"A,R,64,X,R@2,,s":      "line 5: no value",
		"A,R,64,X,R@2,50,":     "line 5: no source",
		",R,64,X,R@2,50,s":     "line 5: no method",
		"A,R,0,X,R@2,50,s":     `line 5: dim "0"`,
		"A,R,6.4,X,R@2,50,s":   `line 5: dim "6.4"`,
		"A,R,64,X,R@1,50,s":    "line 5: R@1 of A on X is there twice",
		"A,R,64,X,R@2,50":      "line 5",
		"A,R,64,X,R@2,50,s,s":  "line 5",
	} {
		if _, err := read(strings.NewReader(good + line + "\n")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %q", line, err, says)
		}
	}
	for _, text := range []string{"", "method,backbone\n"} {
		if _, err := read(strings.NewReader(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
	if _, err := read(strings.NewReader(strings.Replace(good, "dim", "size", 1))); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("another header: %v", err)
	}
}

func ExampleRows() {
	for _, r := range Rows("CUB-200-2011", "R@1") {
		if strings.HasPrefix(r.Method, "Proxy-Anchor") && r.Backbone == "ResNet-50" {
			fmt.Println(r.Method, r.Size(), r.Value("R@1"))
			fmt.Println(r.Source)
		}
	}
	// Output:
	// Proxy-Anchor 512 69.9
	// README.md of repository tjddus9597/Proxy-Anchor-CVPR2020 (authors' released models, better than the paper)
}
