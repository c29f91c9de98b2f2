package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// file is a plan as it stands in YAML.
type file struct {
	Name    string         `yaml:"name"`
	Data    []string       `yaml:"data"`
	Seeds   any            `yaml:"seeds"`
	Base    map[string]any `yaml:"base"`
	Rows    []fileRow      `yaml:"rows"`
	Grid    yaml.MapSlice  `yaml:"grid"`
	Choose  yaml.MapSlice  `yaml:"choose"`
	HeldOut float64        `yaml:"heldOut"`
	Prune   int            `yaml:"prune"`
	Retries int            `yaml:"retries"`
}

type fileRow struct {
	Name   string        `yaml:"name"`
	Set    yaml.MapSlice `yaml:"set"`
	Choose yaml.MapSlice `yaml:"choose"`
}

// largestPlan is the size of a plan's file in bytes that is still read.
const largestPlan = 1 << 20

// ReadPlan reads a plan from a YAML file. Each override, "Train.Epochs=4",
// changes a field of base, or with seeds=, data=, name=, heldOut=, prune= and
// retries= that of the plan. An
// error names the line.
func ReadPlan(path string, overrides ...string) (*Plan, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if st.Size() > largestPlan {
		return nil, fmt.Errorf("sweep: %s has %d bytes; a plan has at most %d", path, st.Size(), largestPlan)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	p, err := ParsePlan(text, overrides...)
	if errors.As(err, new(overrideError)) {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("sweep: %s:%w", path, err)
	}
	return p, nil
}

// overrideError says what is wrong with an override, which has no line.
type overrideError struct {
	text string
	err  error
}

func (e overrideError) Error() string { return fmt.Sprintf("override %q: %v", e.text, e.err) }
func (e overrideError) Unwrap() error { return e.err }

// ParsePlan is ReadPlan of a text. Its errors begin with the number of the line,
// but those of overrides.
func ParsePlan(text []byte, overrides ...string) (*Plan, error) {
	var f file
	where := lineFinder{}
	err := guarded(func() error {
		if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
			text := strings.TrimSpace(yaml.FormatError(err, false, false)) // "[2:5] what"
			at, what, _ := strings.Cut(strings.TrimPrefix(text, "["), "] ")
			return fmt.Errorf("%s: %s", at, what)
		}
		where.find(text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	p := &Plan{Name: f.Name, Data: f.Data, HeldOut: f.HeldOut, Prune: f.Prune, Retries: f.Retries}
	if p.Seeds, err = seeds(f.Seeds); err != nil {
		return nil, fmt.Errorf("%d: seeds: %w", where["$.seeds"], err)
	}
	base := map[string]any{}
	if f.Base != nil {
		base = f.Base
	}
	for _, o := range overrides {
		if err := p.override(base, o); err != nil {
			return nil, overrideError{o, err}
		}
	}
	if p.Base, err = baseOf(base); err != nil {
		return nil, fmt.Errorf("%d: base: %w", where["$.base"], err)
	}
	for i, r := range f.Rows {
		row := PlanRow{Name: r.Name}
		for _, item := range r.Set {
			row.Set = append(row.Set, Setting{fmt.Sprint(item.Key), item.Value})
		}
		if _, err := row.apply(p.Base); err != nil {
			return nil, fmt.Errorf("%d: row %q: %w", where[fmt.Sprintf("$.rows[%d]", i)], r.Name, err)
		}
		if row.Choose, err = axes(r.Choose); err != nil {
			return nil, fmt.Errorf("%d: row %q: choose: %w", where[fmt.Sprintf("$.rows[%d]", i)], r.Name, err)
		}
		p.Rows = append(p.Rows, row)
	}
	if p.Grid, err = axes(f.Grid); err != nil {
		return nil, fmt.Errorf("%d: grid: %w", where["$.grid"], err)
	}
	if p.Choose, err = axes(f.Choose); err != nil {
		return nil, fmt.Errorf("%d: choose: %w", where["$.choose"], err)
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("1: %w", err)
	}
	return p, nil
}

// guarded turns a panic of the YAML library, which some texts that are no YAML
// cause, into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("1: this is no YAML that can be read (%v)", p)
		}
	}()
	return f()
}

// lineFinder is the line of each node of a YAML text, by its path.
type lineFinder map[string]int

// find reads the text.
func (l lineFinder) find(text []byte) {
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		return
	}
	for _, d := range f.Docs {
		if d.Body != nil {
			ast.Walk(l, d.Body)
		}
	}
}

// Visit notes a node.
func (l lineFinder) Visit(n ast.Node) ast.Visitor {
	if t := n.GetToken(); t != nil && l[n.GetPath()] == 0 {
		l[n.GetPath()] = t.Position.Line
	}
	return l
}

// override applies "path=value", the value as YAML has it.
func (p *Plan) override(base map[string]any, text string) (err error) {
	path, right, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("want path=value, such as Train.Epochs=4")
	}
	var v any
	if err := guarded(func() error { return yaml.Unmarshal([]byte(right), &v) }); err != nil {
		return fmt.Errorf("the value: %w", err)
	}
	switch strings.ToLower(path) {
	case "name":
		p.Name = fmt.Sprint(v)
		return nil
	case "seeds":
		p.Seeds, err = seeds(v)
		return err
	case "data":
		p.Data = nil
		for _, d := range strings.Split(right, ",") {
			p.Data = append(p.Data, strings.TrimSpace(d))
		}
		return nil
	case "heldout":
		return yaml.Unmarshal([]byte(right), &p.HeldOut)
	case "prune":
		return yaml.Unmarshal([]byte(right), &p.Prune)
	case "retries":
		return yaml.Unmarshal([]byte(right), &p.Retries)
	}
	return put(base, strings.Split(path, "."), v)
}

// baseOf reads the fields that all runs have.
func baseOf(tree map[string]any) (c Config, err error) {
	text, err := json.Marshal(tree)
	if err != nil {
		return c, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("%w; fields are those of sweep.Config", err)
	}
	if c.Seed != 0 || c.Data != "" || c.HeldOut != 0 || c.Until != 0 {
		return c, fmt.Errorf("the fields Seed, Data, HeldOut and Until are set by the plan: by seeds, data, heldOut and prune")
	}
	return c, nil
}

// seeds reads a number, n for 1 to n, or a list.
func seeds(v any) (all []uint64, err error) {
	switch v := v.(type) {
	case nil:
		return []uint64{1}, nil
	case []any:
		for _, s := range v {
			n, ok := whole(s)
			if !ok {
				return nil, fmt.Errorf("%v is no seed; want a whole number", s)
			}
			all = append(all, n)
		}
		return all, nil
	}
	n, ok := whole(v)
	if !ok || n < 1 || n > 10_000 {
		return nil, fmt.Errorf("%v; want how many, 1 to 10000, or a list of seeds", v)
	}
	for s := range n {
		all = append(all, s+1)
	}
	return all, nil
}

func whole(v any) (uint64, bool) {
	switch v := v.(type) {
	case uint64:
		return v, true
	case int:
		return uint64(v), v >= 0
	case int64:
		return uint64(v), v >= 0
	case float64:
		return uint64(v), v >= 0 && v < 1<<53 && v == math.Trunc(v)
	}
	return 0, false
}

// axes reads path: [values].
func axes(m yaml.MapSlice) (all []Axis, err error) {
	for _, item := range m {
		a := Axis{Path: fmt.Sprint(item.Key)}
		values, ok := item.Value.([]any)
		if !ok || len(values) == 0 {
			return nil, fmt.Errorf("%s: %v; want a list of values in brackets", a.Path, item.Value)
		}
		a.Values = values
		all = append(all, a)
	}
	return all, nil
}
