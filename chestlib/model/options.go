package model

import (
	"cmp"
	"fmt"
	"math"
)

// Options controls New. The zero value is an MLP with two heads of 128.
type Options struct {
	// Trunk is the part that both spaces share:
	//
	//	"mlp"       Linear, Depth residual blocks LayerNorm–Linear–GELU–Linear, LayerNorm;
	//	            items of any shape, also vectors; the default
	//	"conv"      Depth blocks of 3×3 convolution, GroupNorm, GELU and 2×2 max pool,
	//	            then the mean over all pixels and LayerNorm; images
	//	"identity"  nothing: the heads see the items, for features made elsewhere
	Trunk string

	// Width is the number of features of the MLP, 0 means 256, or the channels
	// of the first two blocks of the conv trunk, 0 means 32. Every second block
	// of the latter has twice as many.
	Width int

	// Depth is the number of blocks. 0 means 2 for the MLP, 4 for conv and 3
	// for conv on images of less than 16 pixels.
	Depth int

	DE, DH int // sizes of the Euclidean and the hyperbolic embedding; 0 means 128

	Curvature float64 // c, minus the curvature of the hyperbolic space; 0 means 0.1 (ours)
	Flat      bool    // c = 0: the second space is Euclidean, too
	Clip      float64 // r, the largest norm of a tangent vector; 0 means 2.3, negative means none

	Seed uint64 // of the initial weights
}

// withDefaults fills the zeros and checks the rest against items of shape in.
func (o Options) withDefaults(in Shape) (Options, error) {
	if in.C < 1 || in.H < 1 || in.W < 1 {
		return o, fmt.Errorf("model: items of shape %v have no entries; give channels, height and width, {d, 1, 1} for vectors", in)
	}
	if o.Width < 0 || o.Depth < 0 || o.DE < 0 || o.DH < 0 {
		return o, fmt.Errorf("model: negative size in Width %d, Depth %d, DE %d, DH %d; 0 means the default", o.Width, o.Depth, o.DE, o.DH)
	}
	o.DE, o.DH = cmp.Or(o.DE, 128), cmp.Or(o.DH, 128)
	o, err := o.trunkDefaults(in)
	if err != nil {
		return o, err
	}
	return o.spaceDefaults()
}

func (o Options) trunkDefaults(in Shape) (Options, error) {
	side := min(in.H, in.W)
	switch o.Trunk {
	case "", "mlp":
		o.Trunk, o.Width, o.Depth = "mlp", cmp.Or(o.Width, 256), cmp.Or(o.Depth, 2)
	case "conv":
		if o.Depth == 0 && side < 16 {
			o.Depth = 3
		}
		o.Width, o.Depth = cmp.Or(o.Width, 32), cmp.Or(o.Depth, 4)
		// the last block shall see at least 2×2 pixels
		if most := halvings(side); o.Depth > most {
			return o, fmt.Errorf("model: images of %v are too small for %d conv blocks; set Depth to at most %d, or Trunk to \"mlp\"", in, o.Depth, most)
		}
	case "identity":
		o.Width, o.Depth = in.Size(), 0
	default:
		return o, fmt.Errorf("model: unknown trunk %q; there are \"mlp\", \"conv\" and \"identity\"", o.Trunk)
	}
	return o, nil
}

// halvings is how often side can be halved, rounding up, before it is 1.
func halvings(side int) (n int) {
	for ; side > 1; side = (side + 1) / 2 {
		n++
	}
	return n
}

func (o Options) spaceDefaults() (Options, error) {
	switch {
	case !(o.Curvature >= 0) || math.IsInf(o.Curvature, 0):
		return o, fmt.Errorf("model: Curvature %g; c is a positive number, the curvature is -c", o.Curvature)
	case math.IsNaN(o.Clip) || math.IsInf(o.Clip, 0):
		return o, fmt.Errorf("model: Clip %g; give a positive radius, or a negative number for none", o.Clip)
	case o.Flat && o.Curvature != 0:
		return o, fmt.Errorf("model: Flat and Curvature %g exclude each other; set one of them", o.Curvature)
	case !o.Flat && o.Curvature == 0:
		o.Curvature = 0.1
	}
	if o.Clip == 0 {
		o.Clip = 2.3
	}
	return o, nil
}
