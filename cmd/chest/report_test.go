package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/chestlib/sweep"
)

// stored is a record of a training with one rate and seed; R@1 is share.
func stored(data, name string, rate float64, seed int, share float64) storedRecord {
	config := fmt.Sprintf(`{"Loss": {"Name": %q, "Options": {"E": {"Lambda": %g}, "H": {"Lambda": %g}, "Seed": %d}}, "Train": {"Rate": %g, "Seed": %d}}`,
		name, rate, 2*rate, 7*seed, rate, seed)
	r := metric.Result{Ks: []int{1, 2}, Recall: []float64{share, share}, RPrecision: share, MAPR: share}
	return storedRecord{sweep.Record{Data: data, Config: json.RawMessage(config), E: r, H: r}, fmt.Sprintf("%s-%s-%g-%d.json", data, name, rate, seed)}
}

func TestReportRows(t *testing.T) {
	all := []storedRecord{
		stored("b", "chest", 1, 1, 0.4), stored("b", "chest", 1, 2, 0.6), stored("b", "chest", 2, 1, 0.1),
		stored("a", "chest", 1, 3, 0.5), stored("a", "triplet", 1, 3, 0.5),
	}
	all[1].E.Ks, all[1].E.Recall = []int{1, 4}, []float64{0.6, 0.7}
	all[2].Failed, all[2].E, all[2].H = "the loss is NaN", metric.Result{}, metric.Result{}
	all[4].Uses = loss.OnlyH
	want := []string{ // in order, white space apart
		"a method space R@1 R@2 R-Precision MAP@R ", "chest E 50.0* ", "chest H 50.0* ", "triplet H 50.0* ",
		"b method space R@1 R-Precision MAP@R failed ", // R@2 is not in all
		"chest: E.Lambda 1, H.Lambda 2, Rate 1 E 50.0 ± 14.1* ", " 0 of 2 ",
		"chest: E.Lambda 2, H.Lambda 4, Rate 2 H – ", " 1 of 1 ", "mean ± std, n = 2",
	}
	first := ""
	for range 2 {
		text := ""
		for _, g := range byData(all) {
			text += g.table().Text()
		}
		if rest := strings.Join(strings.Fields(text), " ") + " "; first == "" {
			for _, w := range want {
				_, after, there := strings.Cut(rest, w)
				if !there {
					t.Errorf("no %q in\n%s", w, rest)
					break
				}
				rest = after
			}
			first = text
		} else if text != first {
			t.Errorf("the order of records matters:\n%s\n%s", first, text)
		}
		slices.Reverse(all)
	}
	for i, want := range []bool{true, false} { // the second has one K in common
		f := byData(all)[i].figure()
		if (f != nil) != want {
			t.Errorf("figure %d: %v", i, f)
		}
	}
	if alt := byData(all)[0].figure().Alt(); !strings.HasPrefix(alt, "Curve: Recall@K, a; chest, E 50") || !strings.Contains(alt, "triplet, H 50") || strings.Contains(alt, "triplet, E") {
		t.Error(alt)
	}
	g := byData(all)[1]
	c := g.rows[0].config()
	if !slices.Equal(c.Seeds, []uint64{1, 2}) || len(c.Failed) != 0 || !slices.Equal(c.Records, []string{"b-chest-1-1.json", "b-chest-1-2.json"}) {
		t.Errorf("config %+v", c)
	}
	if text, _ := json.Marshal(c.Config); strings.Contains(string(text), "Seed") || !strings.Contains(string(text), `"Rate":1`) {
		t.Errorf("config %s", text)
	}
	if c := g.rows[1].config(); len(c.Failed) != 1 || !strings.Contains(c.Failed[0], "the loss is NaN") {
		t.Errorf("failed %q", c.Failed)
	}
}

func TestTableFile(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range []struct{ data, want string }{
		{"Blazons, held out", "blazons-held-out"}, {"blazons held out", "blazons-held-out-2"}, {"中文", "results"}, {"../..", "results-2"},
		{strings.Repeat("ab ", 40), strings.TrimRight(strings.Repeat("ab-", 17)[:50], "-")},
	} {
		if got := tableFile(c.data, taken); got != c.want {
			t.Errorf("%q: %q, want %q", c.data, got, c.want)
		}
	}
}
