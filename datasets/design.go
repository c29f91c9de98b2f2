package datasets

import "fmt"

// design is what all images of one species show: indices into the tables of
// shapes and colours. Order and family give the first three.
type design struct {
	outline, division, charge int
	arrangement, scheme       int
	bordure                   bool // a band of the charges' colour runs along the edge
}

// The numbers of distinct designs, which bound BlazonsOptions.
var (
	maxOrders   = len(outlines)
	maxFamilies = len(divisions) * len(charges)
	maxSpecies  = len(arrangements) * len(schemes) * 2
)

// designOf is the design of a species, a function of the seed and its place in
// the taxonomy alone: a larger taxonomy holds every smaller one.
func designOf(seed uint64, order, family, species int) design {
	division, charge := familyOf(seed, order, family)
	p := newRand(seed, streamSpecies, uint64(order), uint64(family)).Perm(maxSpecies)[species]
	return design{
		outline: order, division: division, charge: charge,
		arrangement: p % len(arrangements),
		scheme:      p / len(arrangements) % len(schemes),
		bordure:     p/len(arrangements)/len(schemes) == 1,
	}
}

// familyOf pairs a division with a charge. Inside an order all pairs differ,
// and as long as there are enough, all divisions and all charges do.
func familyOf(seed uint64, order, family int) (division, charge int) {
	rng := newRand(seed, streamFamilies, uint64(order))
	ds, cs := rng.Perm(len(divisions)), rng.Perm(len(charges))
	round, i := family/len(cs), family%len(cs)
	return ds[(i+round)%len(ds)], cs[i]
}

// orderName is the outline: "lozenge".
func (d design) orderName() string { return outlines[d.outline].name }

// familyName adds field and charge: "lozenge · chevron · discs".
func (d design) familyName() string {
	return fmt.Sprintf("%s · %s · %s", d.orderName(), divisions[d.division].name, charges[d.charge].plural)
}

// name is the blazon: "lozenge · chevron · three discs upright in a bordure · or on sable and azure".
func (d design) name() string {
	a, noun, bordure := arrangements[d.arrangement], charges[d.charge].plural, ""
	if len(a.spots) == 1 {
		noun = charges[d.charge].name
	}
	if d.bordure {
		bordure = " in a bordure"
	}
	return fmt.Sprintf("%s · %s · %s %s%s%s · %s", d.orderName(), divisions[d.division].name,
		a.count, noun, a.where, bordure, schemes[d.scheme].name)
}
