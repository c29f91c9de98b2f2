package notebook

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The tags of the cell that declares parameters and of the one that sets them.
const (
	parametersTag = "parameters"
	injectedTag   = "injected-parameters"
)

// SetParameters puts a cell tagged "injected-parameters" behind the first code
// cell tagged "parameters", or replaces the one that is there. Each of params
// is "name=value"; the last of equal names counts. Without params it does
// nothing.
//
// A name must be declared in the parameters cell by :=, var or const with a
// value (or type) of one of these kinds, which the value must fit:
//
//	int       8            -3, 0x10, 1_000
//	uint      uint64(8)    1
//	float     1e-3         20, 2.5e-4
//	string    "conv"       any text, without quotes
//	bool      true         true, false
//	duration  time.Minute  90s, 1h30m
func (nb *Notebook) SetParameters(params []string) error {
	if len(params) == 0 {
		return nil
	}
	at := slices.IndexFunc(nb.Cells, func(c *Cell) bool { return c.Kind == Code && c.tagged(parametersTag) })
	if at < 0 {
		return errors.New(`notebook: parameters are given, but no code cell is tagged "parameters"`)
	}
	declared, err := declarations(nb.Cells[at].Source)
	if err != nil {
		return fmt.Errorf("notebook: the cell tagged %q: %w", parametersTag, err)
	}
	source, err := assignments(declared, params)
	if err != nil {
		return fmt.Errorf("notebook: %w", err)
	}
	c := &Cell{Kind: Code, Source: source, Metadata: map[string]any{"tags": []any{injectedTag}}}
	if nb.Minor >= 5 {
		c.ID = newID()
	}
	if old := slices.IndexFunc(nb.Cells, func(c *Cell) bool { return c.tagged(injectedTag) }); old >= 0 {
		c.ID = nb.Cells[old].ID
		nb.Cells[old] = c
		return nil
	}
	nb.Cells = slices.Insert(nb.Cells, at+1, c)
	return nil
}

// Parameters are the names that the cell tagged "parameters" declares, none without
// such a cell or if it is broken.
func (nb *Notebook) Parameters() (names []string) {
	at := slices.IndexFunc(nb.Cells, func(c *Cell) bool { return c.Kind == Code && c.tagged(parametersTag) })
	if at < 0 {
		return nil
	}
	declared, err := declarations(nb.Cells[at].Source)
	if err != nil {
		return nil
	}
	for _, d := range declared {
		names = append(names, d.name)
	}
	return names
}

// parameter is one declared name.
type parameter struct {
	name  string
	kind  valueKind
	fixed bool   // const
	value string // as declared
}

// valueKind is what a parameter's value must be.
type valueKind string

const (
	intKind      valueKind = "int"
	uintKind     valueKind = "uint"
	floatKind    valueKind = "float"
	stringKind   valueKind = "string"
	boolKind     valueKind = "bool"
	durationKind valueKind = "duration"
	otherKind    valueKind = ""
)

// assignments is the source of the injected cell.
func assignments(declared []parameter, params []string) (string, error) {
	text := map[string]string{}
	var order []string
	for _, p := range params {
		name, value, ok := strings.Cut(p, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return "", fmt.Errorf("parameter %q: want name=value", p)
		}
		i := slices.IndexFunc(declared, func(d parameter) bool { return d.name == name })
		if i < 0 {
			return "", fmt.Errorf("there is no parameter %q; %s", name, known(declared))
		}
		d := declared[i]
		literal, err := d.kind.literal(value)
		if err != nil {
			return "", fmt.Errorf("parameter %s (declared as %s): %w", name, d.value, err)
		}
		line := name + " = " + literal
		if d.fixed {
			line = "const " + line
		}
		if text[name] == "" {
			order = append(order, name)
		}
		text[name] = line
	}
	b := strings.Builder{}
	b.WriteString("// Parameters of this run.")
	for _, name := range order {
		b.WriteString("\n" + text[name])
	}
	return b.String(), nil
}

// known lists the parameters for an error.
func known(declared []parameter) string {
	if len(declared) == 0 {
		return `the cell tagged "parameters" declares none`
	}
	var all []string
	for _, d := range declared {
		all = append(all, d.name+" (now "+d.value+")")
	}
	return "there are: " + strings.Join(all, ", ")
}

// literal is value as a Go literal of the kind.
func (k valueKind) literal(value string) (string, error) {
	trimmed := strings.TrimSpace(value)
	wrong := fmt.Errorf("%q is no %s", value, k)
	switch k {
	case intKind:
		n, err := strconv.ParseInt(trimmed, 0, 64)
		if err != nil {
			return "", wrong
		}
		return strconv.FormatInt(n, 10), nil
	case uintKind:
		n, err := strconv.ParseUint(trimmed, 0, 64)
		if err != nil {
			return "", fmt.Errorf("%q is no int ≥ 0", value)
		}
		return strconv.FormatUint(n, 10), nil
	case floatKind:
		f, err := strconv.ParseFloat(trimmed, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return "", wrong
		}
		return floatLiteral(f), nil
	case stringKind:
		return strconv.Quote(value), nil
	case boolKind:
		if trimmed != "true" && trimmed != "false" {
			return "", fmt.Errorf("%q is no bool: want true or false", value)
		}
		return trimmed, nil
	case durationKind:
		d, err := time.ParseDuration(trimmed)
		if err != nil {
			return "", fmt.Errorf("%q is no duration: want one such as 90s or 1h30m", value)
		}
		return durationLiteral(d), nil
	}
	return "", errors.New("only int, float, string, bool and duration values can be set")
}

// floatLiteral is f as a literal that is a float also by itself, as a constant
// must be.
func floatLiteral(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// durationLiteral is d in the largest unit that divides it. The parameters
// cell names a duration, so package time is imported.
func durationLiteral(d time.Duration) string {
	units := []struct {
		size time.Duration
		name string
	}{
		{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"},
		{time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"},
	}
	for _, u := range units {
		if d != 0 && d%u.size == 0 {
			return fmt.Sprintf("%d * time.%s", d/u.size, u.name)
		}
	}
	return fmt.Sprintf("%d * time.Nanosecond", d.Nanoseconds())
}
