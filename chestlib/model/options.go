package model

import (
	"cmp"
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/ball"
)

// Options controls New. The zero value is an MLP with two heads of 128.
type Options struct {
	// Trunk is the part that both spaces share, or have one each of with Separate:
	//
	//	"mlp"       Linear, Depth residual blocks LayerNorm–Linear–GELU–Linear, LayerNorm;
	//	            items of any shape, also vectors; the default
	//	"conv"      Depth blocks of 3×3 convolution, GroupNorm, GELU and 2×2 max pool,
	//	            then the mean over all pixels and LayerNorm; images
	//	"convnet4"  Depth blocks of 3×3 convolution to Width channels, BatchNorm, ReLU and
	//	            2×2 max pool, all pixels of the last block; images (O. Vinyals et al.,
	//	            "Matching Networks", 2016, 4.1)
	//	"vit"       a vision transformer: Patch×Patch pixels a token of Width numbers,
	//	            Depth pre-norm blocks of attention with Heads heads and an MLP of 4·Width,
	//	            LayerNorm, the class token; the zero values are ViT-S/16 (H. Touvron et
	//	            al., "Training data-efficient image transformers", 2021, table 1)
	//	"linear"    one Linear layer to Width features that both heads see; items of any shape
	//	"identity"  nothing: the heads see the items, for features made elsewhere
	Trunk string

	// Width is the number of features of the MLP and the linear trunk, 0 means 256, or the channels
	// of the first two blocks of the conv trunk, 0 means 32. Every second block
	// of the latter has twice as many. For convnet4 0 means 64, for vit 384.
	Width int

	// Depth is the number of blocks. 0 means 2 for the MLP, 4 for conv and 3
	// for conv on images of less than 16 pixels, 4 for convnet4 and 12 for vit.
	Depth int

	Patch int // vit: pixels of a patch's side, which divides both sides of the image; 0 means 16
	Heads int // vit: heads of attention, a divisor of Width; 0 means 6

	// NormEps is what LayerNorm of vit adds to the variance before the root; 0 means
	// 1e-5 (ours, as in the other trunks). Published weights of vision transformers
	// want 1e-6.
	NormEps float64 `json:",omitempty"`

	// Separate gives each space a trunk of its own, both of the kind above. That of
	// E begins as a shared one would. The default, one trunk that both spaces
	// train, is ours.
	Separate bool

	DE, DH int // sizes of the Euclidean and the hyperbolic embedding; 0 means 128

	// Curvature is c, minus the curvature of the hyperbolic space; 0 means 0.1
	// (ours). metric.CurvatureFromDelta gives one that fits the data.
	Curvature float64
	Flat      bool    // c = 0: the second space is Euclidean, too
	Clip      float64 // r, the largest norm of a tangent vector; 0 means 2.3, negative means none
	SoftClip  bool    // clip smoothly, r tanh(‖u‖/r) u/‖u‖; default is the hard clip, u min(1, r/‖u‖)

	// LearnCurvature and LearnClip make c and r weights of the model that begin at
	// Curvature and Clip, see ball.Ball. Default is neither (ours). A flat space and
	// a model without a clip have nothing to learn there: that is an error.
	LearnCurvature, LearnClip bool

	Seed uint64 // of the initial weights
}

// withDefaults fills the zeros and checks the rest against items of shape in.
func (o Options) withDefaults(in Shape) (Options, error) {
	if in.C < 1 || in.H < 1 || in.W < 1 {
		return o, fmt.Errorf("model: items of shape %v have no entries; give channels, height and width, {d, 1, 1} for vectors", in)
	}
	if o.Width < 0 || o.Depth < 0 || o.DE < 0 || o.DH < 0 || o.Patch < 0 || o.Heads < 0 {
		return o, fmt.Errorf("model: negative size in Width %d, Depth %d, DE %d, DH %d, Patch %d, Heads %d; 0 means the default", o.Width, o.Depth, o.DE, o.DH, o.Patch, o.Heads)
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
	case "linear":
		o.Width, o.Depth = cmp.Or(o.Width, 256), 0
	case "conv":
		if o.Depth == 0 && side < 16 {
			o.Depth = 3
		}
		o.Width, o.Depth = cmp.Or(o.Width, 32), cmp.Or(o.Depth, 4)
		// the last block shall see at least 2×2 pixels
		if most := halvings(side); o.Depth > most {
			return o, fmt.Errorf("model: images of %v are too small for %d conv blocks; set Depth to at most %d, or Trunk to \"mlp\"", in, o.Depth, most)
		}
	case "convnet4":
		o.Width, o.Depth = cmp.Or(o.Width, 64), cmp.Or(o.Depth, 4)
		if most := halvings(side); o.Depth > most {
			return o, fmt.Errorf("model: images of %v are too small for %d convnet4 blocks; set Depth to at most %d, or Trunk to \"mlp\"", in, o.Depth, most)
		}
	case "vit":
		o.Width, o.Depth, o.Patch, o.Heads = cmp.Or(o.Width, 384), cmp.Or(o.Depth, 12), cmp.Or(o.Patch, 16), cmp.Or(o.Heads, 6)
		if in.H%o.Patch != 0 || in.W%o.Patch != 0 {
			return o, fmt.Errorf("model: images of %v cannot be cut into patches of %d×%d; set Patch to a divisor of both sides", in, o.Patch, o.Patch)
		}
		if o.Width%o.Heads != 0 {
			return o, fmt.Errorf("model: Width %d is not a multiple of Heads %d", o.Width, o.Heads)
		}
		if !(o.NormEps >= 0) || math.IsInf(o.NormEps, 0) {
			return o, fmt.Errorf("model: NormEps %g; want a small positive number, 0 means 1e-5", o.NormEps)
		}
	case "identity":
		if o.Separate {
			return o, fmt.Errorf("model: Separate, but the identity is no trunk that could be one of two; choose another Trunk or leave Separate out")
		}
		o.Width, o.Depth = in.Size(), 0
	default:
		return o, fmt.Errorf("model: unknown trunk %q; there are \"mlp\", \"linear\", \"conv\", \"convnet4\", \"vit\" and \"identity\"", o.Trunk)
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
	switch {
	case o.LearnCurvature && o.Flat:
		return o, fmt.Errorf("model: LearnCurvature and Flat exclude each other: curvature 0 cannot be learned; set one of them")
	case o.LearnClip && o.Clip < 0:
		return o, fmt.Errorf("model: LearnClip, but Clip %g is none; give a positive radius to begin with", o.Clip)
	}
	return o, nil
}

// ball makes the ball of filled options.
func (o Options) ball() (*ball.Ball, error) {
	return ball.New(ball.Options{
		Curvature: o.Curvature, Clip: o.Clip, Soft: o.SoftClip, LearnCurvature: o.LearnCurvature, LearnClip: o.LearnClip,
	})
}
