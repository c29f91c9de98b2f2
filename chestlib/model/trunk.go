package model

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// newTrunk makes a trunk of filled options, whose params' names begin with name,
// and says how many features it has.
func newTrunk(name string, in Shape, o Options, rng *rand.Rand) (s Sequence, features int) {
	switch o.Trunk {
	case "linear":
		l := NewLinear(name, "trunk", in.Size(), o.Width, 1/math.Sqrt(float64(in.Size())), rng)
		l.First = true
		return Sequence{l}, o.Width
	case "mlp":
		return mlp(name, in.Size(), o.Width, o.Depth, rng), o.Width
	case "conv":
		s = conv(name, in, o.Width, o.Depth, rng)
		return s, s.Out().Size()
	case "convnet4":
		s = convNet4(name, in, o.Width, o.Depth, rng)
		return s, s.Out().Size()
	case "vit":
		return vit(name, in, o, rng), o.Width
	}
	return nil, in.Size()
}

// mlp is Options.Trunk "mlp". The blocks' last layers are scaled down by
// √(2·depth), so that the sum of all blocks begins as large as the stem.
func mlp(trunk string, in, width, depth int, rng *rand.Rand) Sequence {
	stem := NewLinear(trunk+".stem", "trunk", in, width, 1/math.Sqrt(float64(in)), rng)
	stem.First = true
	s := Sequence{stem}
	he := math.Sqrt(2 / float64(width))
	for b := range depth {
		name := fmt.Sprintf("%s.block%d", trunk, b+1)
		s = append(s, NewResidual(Sequence{
			NewLayerNorm(name+".norm", "trunk", width),
			NewLinear(name+".up", "trunk", width, width, he, rng),
			NewGELU(Shape{width, 1, 1}),
			NewLinear(name+".down", "trunk", width, width, he/math.Sqrt(2*float64(depth)), rng),
		}))
	}
	return append(s, NewLayerNorm(trunk+".norm", "trunk", width))
}

// conv is Options.Trunk "conv".
func conv(trunk string, in Shape, width, depth int, rng *rand.Rand) Sequence {
	var s Sequence
	for b := range depth {
		name := fmt.Sprintf("%s.block%d", trunk, b+1)
		c := NewConv2d(name+".conv", "trunk", in, width<<(b/2), 1, math.Sqrt(2/float64(9*in.C)), rng)
		c.First = b == 0
		s = append(s, c, NewGroupNorm(name+".norm", "trunk", c.Out(), groups(c.Out().C)), NewGELU(c.Out()), NewMaxPool(c.Out()))
		in = s.Out()
	}
	s = append(s, NewGlobalAverage(in))
	return append(s, NewLayerNorm(trunk+".norm", "trunk", in.C))
}

// groups is the number of groups that channels are normalised in: 8, or the
// next smaller power of two that divides them.
func groups(channels int) int {
	g := 8
	for channels%g != 0 {
		g /= 2
	}
	return g
}

// convNet4 is Options.Trunk "convnet4".
func convNet4(trunk string, in Shape, width, depth int, rng *rand.Rand) Sequence {
	var s Sequence
	for b := range depth {
		name := fmt.Sprintf("%s.block%d", trunk, b+1)
		c := NewConv2d(name+".conv", "trunk", in, width, 1, math.Sqrt(2/float64(9*in.C)), rng)
		c.First = b == 0
		s = append(s, c, NewBatchNorm(name+".norm", "trunk", c.Out()), NewReLU(c.Out()), NewMaxPool(c.Out()))
		in = s.Out()
	}
	return s
}

// vitStd is the deviation of a vision transformer's first weights.
const vitStd = 0.02

// vit is Options.Trunk "vit".
func vit(trunk string, in Shape, o Options, rng *rand.Rand) Sequence {
	embed := NewPatchEmbed(trunk+".embed", "trunk", in, o.Patch, o.Width, rng)
	t, d := embed.tokens, o.Width
	norm := func(name string) *LayerNorm {
		l := NewLayerNorm(name, "trunk", d)
		l.Eps = o.NormEps
		return l
	}
	s := Sequence{embed}
	for b := range o.Depth {
		name := fmt.Sprintf("%s.block%d", trunk, b+1)
		s = append(s,
			NewResidual(Sequence{
				NewTokens(t, norm(name+".norm1")),
				NewAttention(name+".attention", "trunk", t, d, o.Heads, vitStd, rng),
			}),
			NewResidual(NewTokens(t, Sequence{
				norm(name + ".norm2"),
				NewLinear(name+".up", "trunk", d, 4*d, vitStd, rng),
				NewGELU(Shape{4 * d, 1, 1}),
				NewLinear(name+".down", "trunk", 4*d, d, vitStd, rng),
			})))
	}
	return append(s, NewFirstToken(t, d), norm(trunk+".norm"))
}
