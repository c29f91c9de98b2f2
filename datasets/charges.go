package datasets

import "math"

// division is a way to part a field: negative where the second tincture lies.
type division struct {
	name string
	part figure
}

// divisions are the fields of the families, on a shield about the unit disc.
var divisions = []division{
	{"per pale", func(x, _ float64) float64 { return x }},
	{"per fess", func(_, y float64) float64 { return y + 0.05 }},
	{"per bend", func(x, y float64) float64 { return (x - y) * sqrtHalf }},
	{"quarterly", func(x, y float64) float64 { return checker(x, y+0.05) }},
	{"chevron", func(x, y float64) float64 { return math.Abs(y-0.8*math.Abs(x)+0.2)*0.78 - 0.23 }},
	{"saltire", func(x, y float64) float64 { return math.Abs(math.Abs(x)-math.Abs(y))*sqrtHalf - 0.2 }},
	{"cross", func(x, y float64) float64 { return min(math.Abs(x), math.Abs(y+0.1)) - 0.2 }},
	{"pale", func(x, _ float64) float64 { return math.Abs(x) - 0.33 }},
	{"fess", func(_, y float64) float64 { return math.Abs(y) - 0.33 }},
	{"bend", func(x, y float64) float64 { return math.Abs(x-y)*sqrtHalf - 0.3 }},
	{"paly", func(x, _ float64) float64 { return wave(x+0.15, 0.6) }},
	{"barry", func(_, y float64) float64 { return wave(y+0.15, 0.6) }},
	{"bendy", func(x, y float64) float64 { return wave((x-y)*sqrtHalf+0.15, 0.6) }},
	{"chequy", func(x, y float64) float64 { return checker(wave(x, 0.9), wave(y, 0.9)) }},
}

// wave is a stripe pattern: the distance to the edge of stripes of half a
// period each, negative in every second one.
func wave(t, period float64) float64 {
	t -= period * math.Floor(t/period)
	return math.Abs(t-period/2) - period/4
}

// checker is negative where exactly one of a and b is.
func checker(a, b float64) float64 {
	return math.Copysign(min(math.Abs(a), math.Abs(b)), a*b)
}

// charge is a figure on the field, about the unit disc, and how many of it read.
type charge struct {
	name, plural string
	edge         figure
}

// charges are the figures of the families.
var charges = []charge{
	{"disc", "discs", func(x, y float64) float64 { return math.Hypot(x, y) - 0.92 }},
	{"mullet", "mullets", mullet},
	{"crescent", "crescents", func(x, y float64) float64 { return max(math.Hypot(x, y)-0.92, 0.74-math.Hypot(x, y+0.46)) }},
	{"billet", "billets", func(x, y float64) float64 { return box(x, y, 0.55, 1) }},
	{"crosslet", "crosslets", func(x, y float64) float64 { return min(box(x, y, 0.32, 1), box(x, y, 1, 0.32)) }},
	{"pile", "piles", func(x, y float64) float64 { return max(0.89*math.Abs(x)+0.45*y-0.47, -0.85-y) }},
	{"heart", "hearts", heart},
	{"diamond", "diamonds", func(x, y float64) float64 { return 0.8*math.Abs(x) + 0.6*math.Abs(y) - 0.66 }},
	{"goutte", "gouttes", func(x, y float64) float64 { return droplet(x, -y+0.35, 0.68, 1.45) }},
	{"quatrefoil", "quatrefoils", quatrefoil},
}

// mullet is a star of five points, the first up. Folded into the half sector
// between a point and the dent beside it, its edge is one straight line.
func mullet(x, y float64) float64 {
	const outer, inner, sector = 1.1, 0.47, 2 * math.Pi / 5
	a := math.Atan2(x, -y)
	a = math.Abs(a - sector*math.Round(a/sector))
	r := math.Hypot(x, y)
	px, py := r*math.Cos(a), r*math.Sin(a)
	dx, dy := inner*math.Cos(sector/2)-outer, inner*math.Sin(sector/2)
	return (dx*py - dy*(px-outer)) / -math.Hypot(dx, dy)
}

// heart is two discs above a square on its corner.
func heart(x, y float64) float64 {
	x = math.Abs(x)
	return min(math.Hypot(x-0.47, y+0.32)-0.52, max(x+y-0.88, x-y-0.5)*sqrtHalf)
}

// quatrefoil is four discs around the centre.
func quatrefoil(x, y float64) float64 {
	a, b := math.Abs(x), math.Abs(y)
	return min(math.Hypot(max(a, b)-0.55, min(a, b))-0.45, max(a, b)-0.4)
}

// spot is the place and the radius of one charge.
type spot struct{ x, y, r float64 }

// arrangement is how many charges a species has and where they stand.
type arrangement struct {
	count, where string
	spots        []spot
}

// arrangements are the layouts of the species.
var arrangements = []arrangement{
	{"one", "", []spot{{0, 0, 0.58}}},
	{"two", " abreast", []spot{{-0.41, 0, 0.39}, {0.41, 0, 0.39}}},
	{"two", " upright", []spot{{0, -0.43, 0.39}, {0, 0.43, 0.39}}},
	{"three", "", []spot{{-0.42, -0.38, 0.36}, {0.42, -0.38, 0.36}, {0, 0.42, 0.36}}},
	{"three", " in bend", []spot{{-0.52, -0.52, 0.33}, {0, 0, 0.33}, {0.52, 0.52, 0.33}}},
	{"three", " upright", []spot{{0, -0.6, 0.28}, {0, 0, 0.28}, {0, 0.6, 0.28}}},
	{"four", "", []spot{{-0.4, -0.4, 0.34}, {0.4, -0.4, 0.34}, {-0.4, 0.4, 0.34}, {0.4, 0.4, 0.34}}},
	{"five", "", []spot{{-0.5, -0.5, 0.27}, {0.5, -0.5, 0.27}, {0, 0, 0.27}, {-0.5, 0.5, 0.27}, {0.5, 0.5, 0.27}}},
}

// scheme is the colours of a species: two of the field and one of the charges.
type scheme struct {
	name          string
	first, second [3]float64 // RGB in [0, 1]
	charge        [3]float64
}

// schemes differ in grey too: charges light on dark or dark on light, and the
// darker half of the field first or second.
var schemes = []scheme{
	{"or on sable and azure", [3]float64{0.10, 0.09, 0.10}, [3]float64{0.16, 0.36, 0.72}, [3]float64{1.00, 0.93, 0.45}},
	{"sable on or and tenné", [3]float64{0.99, 0.93, 0.55}, [3]float64{0.90, 0.52, 0.20}, [3]float64{0.06, 0.05, 0.08}},
	{"argent on vert and sable", [3]float64{0.18, 0.48, 0.24}, [3]float64{0.07, 0.10, 0.08}, [3]float64{0.97, 0.98, 0.96}},
	{"gules on cendrée and argent", [3]float64{0.60, 0.62, 0.62}, [3]float64{0.97, 0.97, 0.98}, [3]float64{0.48, 0.02, 0.06}},
}
