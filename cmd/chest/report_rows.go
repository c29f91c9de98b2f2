package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/chestlib/sweep"
	"github.com/chestlab/chest/viz"
)

// dataGroup is the records of one data set.
type dataGroup struct {
	data, labels string
	rows         []*recordRow
}

// recordRow is the records that differ in nothing but seeds.
type recordRow struct {
	name    string
	loss    string
	setting map[string]string // place in the config → value, without seeds
	held    any
	seeds   []uint64
	records []storedRecord
}

// byData sorts records into data sets and rows; the order depends on the records
// alone, not on where they were found.
func byData(all []storedRecord) []*dataGroup {
	groups := map[string]*dataGroup{}
	rows := map[string]*recordRow{}
	for _, r := range all {
		key := r.Data + "\x00" + r.TestLabels
		g := groups[key]
		if g == nil {
			g = &dataGroup{data: r.Data, labels: r.TestLabels}
			groups[key] = g
		}
		config, seed := withoutSeeds(r.Config)
		text, _ := json.Marshal(config) // it came from JSON
		row := rows[key+string(text)]
		if row == nil {
			row = &recordRow{setting: map[string]string{}, held: config}
			flatten(row.setting, "", config)
			row.loss = strings.Trim(row.setting["Loss.Name"], `"`)
			rows[key+string(text)] = row
			g.rows = append(g.rows, row)
		}
		row.seeds = append(row.seeds, seed)
		row.records = append(row.records, r)
	}
	sorted := slices.SortedFunc(maps.Values(groups), func(a, b *dataGroup) int {
		return cmp.Or(cmp.Compare(a.data, b.data), cmp.Compare(a.labels, b.labels))
	})
	for _, g := range sorted {
		g.nameRows()
	}
	return sorted
}

// withoutSeeds is a config without what is called Seed, and the seed of the
// training.
func withoutSeeds(raw json.RawMessage) (config any, seed uint64) {
	var train struct{ Train struct{ Seed uint64 } }
	json.Unmarshal(raw, &train) // a config without one has seed 0
	if err := json.Unmarshal(raw, &config); err != nil {
		return string(raw), 0
	}
	var drop func(v any)
	drop = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "Seed")
			for _, w := range v {
				drop(w)
			}
		case []any:
			for _, w := range v {
				drop(w)
			}
		}
	}
	drop(config)
	return config, train.Train.Seed
}

// flatten writes every value of a config under its place: Train.Rate → 0.002.
func flatten(to map[string]string, place string, v any) {
	if m, ok := v.(map[string]any); ok {
		for k, w := range m {
			flatten(to, strings.TrimPrefix(place+"."+k, "."), w)
		}
		return
	}
	text, _ := json.Marshal(v) // it came from JSON
	to[place] = string(text)
}

// nameRows names each row by its loss and by what sets it apart from the rows of
// the same loss, and sorts them.
func (g *dataGroup) nameRows() {
	for _, r := range g.rows {
		var apart []string
		for place, value := range r.setting {
			for _, other := range g.rows {
				if other.loss == r.loss && other.setting[place] != value {
					apart = append(apart, place)
					break
				}
			}
		}
		slices.SortFunc(apart, func(a, b string) int {
			return cmp.Or(cmp.Compare(a[strings.LastIndexByte(a, '.')+1:], b[strings.LastIndexByte(b, '.')+1:]), cmp.Compare(a, b))
		})
		r.name = cmp.Or(r.loss, "no loss")
		for i, place := range apart {
			word := shortPlace(place, apart)
			r.name += map[bool]string{true: ": ", false: ", "}[i == 0] + word + " " + strings.Trim(r.setting[place], `"`)
		}
		slices.SortFunc(r.records, func(a, b storedRecord) int { return cmp.Compare(a.path, b.path) })
		slices.Sort(r.seeds)
	}
	slices.SortFunc(g.rows, func(a, b *recordRow) int { return cmp.Compare(a.name, b.name) })
}

// shortPlace is the last word of a place in a config, or as many as it takes to
// tell it from the others: Rate, E.Lambda.
func shortPlace(place string, all []string) string {
	words := strings.Split(place, ".")
	for n := 1; n < len(words); n++ {
		short := strings.Join(words[len(words)-n:], ".")
		if !slices.ContainsFunc(all, func(p string) bool { return p != place && strings.HasSuffix("."+p, "."+short) }) {
			return short
		}
	}
	return place
}

// config is what config.json says of the row.
func (r *recordRow) config() rowConfig {
	c := rowConfig{Name: r.name, Seeds: r.seeds, Config: r.held}
	for _, s := range r.records {
		c.Records = append(c.Records, s.path)
		if s.Failed != "" {
			c.Failed = append(c.Failed, s.path+": "+s.Failed)
		}
	}
	return c
}

// table is mean ± std of each row, a line for each space that was trained.
func (g *dataGroup) table() *viz.Table {
	ks := g.ks()
	columns := []string{"method", "space"}
	var measures []string
	for _, k := range ks {
		measures = append(measures, fmt.Sprintf("R@%d", k))
	}
	measures = append(measures, "R-Precision", "MAP@R")
	columns = append(columns, measures...)
	fails := slices.ContainsFunc(g.rows, func(r *recordRow) bool { return r.failures() > 0 })
	if fails {
		columns = append(columns, "failed")
	}
	t := viz.NewTable(g.data, columns...).Percent(measures...).Best(measures...)
	for _, r := range g.rows {
		for _, space := range r.spaces() {
			cells := []any{r.name, space}
			for _, k := range ks {
				cells = append(cells, r.stat(space, func(m metric.Result) float64 { return m.At(k) }))
			}
			cells = append(cells, r.stat(space, func(m metric.Result) float64 { return m.RPrecision }), r.stat(space, func(m metric.Result) float64 { return m.MAPR }))
			if n := r.failures(); fails {
				cells = append(cells, fmt.Sprintf("%d of %d", n, len(r.records)))
			}
			t.Row(cells...)
		}
	}
	return t
}

// ks are the K that every record with scores has.
func (g *dataGroup) ks() (common []int) {
	first := true
	for _, r := range g.rows {
		for _, s := range r.records {
			switch {
			case s.Failed != "":
			case first:
				common, first = slices.Clone(s.E.Ks), false
			default:
				common = slices.DeleteFunc(common, func(k int) bool { return !slices.Contains(s.E.Ks, k) })
			}
		}
	}
	return common
}

// failures is the number of records without scores.
func (r *recordRow) failures() (n int) {
	for _, s := range r.records {
		if s.Failed != "" {
			n++
		}
	}
	return n
}

// spaces are those that the row trains.
func (r *recordRow) spaces() []string {
	switch r.records[0].Uses {
	case loss.OnlyE:
		return []string{"E"}
	case loss.OnlyH:
		return []string{"H"}
	}
	return []string{"E", "H"}
}

// stat is mean and deviation of one measure over the records with scores.
func (r *recordRow) stat(space string, of func(metric.Result) float64) viz.Stat {
	var all []float64
	for _, s := range r.records {
		if s.Failed == "" {
			all = append(all, of(scores(s.Record, space)))
		}
	}
	return viz.MeanStd(all...)
}

// scores are a record's of one space.
func scores(r sweep.Record, space string) metric.Result {
	if space == "H" {
		return r.H
	}
	return r.E
}
