package model

import (
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/optim"
)

// Tokens applies a layer of vectors to each of the tokens of an item, an item
// of tokens·d entries.
type Tokens struct {
	count int
	f     Layer
}

// NewTokens makes a layer that applies f to each of count tokens.
func NewTokens(count int, f Layer) *Tokens { return &Tokens{count, f} }

// Forward implements Layer.
func (l *Tokens) Forward(x []float32, n int, training bool) []float32 {
	return l.f.Forward(x, n*l.count, training)
}

// Backward implements Layer.
func (l *Tokens) Backward(gy []float32, n int) []float32 { return l.f.Backward(gy, n*l.count) }

// Params implements Layer.
func (l *Tokens) Params() []*optim.Param { return l.f.Params() }

// State implements Stateful.
func (l *Tokens) State() []State { return stateOf(l.f) }

// Out implements Layer.
func (l *Tokens) Out() Shape { return Shape{l.count * l.f.Out().Size(), 1, 1} }

// PatchEmbed cuts images into patches of p×p pixels, maps each one linearly to
// a token of d entries, puts a learnt class token before them, and adds a
// learnt position to every token.
//
//	y[0] = class + position[0],  y[1+t] = W patch_t + b + position[1+t]
//
// It is a model's first layer: Backward returns nil.
//
// Source: A. Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021), 3.1.
type PatchEmbed struct {
	in      Shape
	p, d    int
	tokens  int // patches and the class token
	linear  *Linear
	class   *optim.Param
	place   *optim.Param // tokens×d
	patches []float32
	y, g    []float32
}

// NewPatchEmbed makes a PatchEmbed with normal weights of deviation 0.02. H and
// W of in must be multiples of p. Its params are name.weight, name.bias,
// name.class and name.position.
func NewPatchEmbed(name, group string, in Shape, p, d int, rng *rand.Rand) *PatchEmbed {
	l := &PatchEmbed{in: in, p: p, d: d, tokens: 1 + in.H/p*(in.W/p)}
	l.linear = NewLinear(name, group, in.C*p*p, d, vitStd, rng)
	l.linear.First = true
	l.class, l.place = normal(name+".class", group, vitStd, rng, 1, d), normal(name+".position", group, vitStd, rng, l.tokens, d)
	l.class.Plain, l.place.Plain = true, true
	return l
}

// Forward implements Layer.
func (l *PatchEmbed) Forward(x []float32, n int, training bool) []float32 {
	checkItems("PatchEmbed", x, n, l.in.Size())
	l.cut(x, n)
	t := l.linear.Forward(l.patches, n*(l.tokens-1), training)
	l.y = resized(l.y, n*l.tokens*l.d)
	for i := range n {
		y := l.y[i*l.tokens*l.d : (i+1)*l.tokens*l.d]
		copy(y, l.class.Value)
		copy(y[l.d:], t[i*(l.tokens-1)*l.d:])
		add(y, l.place.Value)
	}
	return l.y
}

// cut copies the patches, each a row of C·p·p pixels.
func (l *PatchEmbed) cut(x []float32, n int) {
	p, across := l.p, l.in.W/l.p
	l.patches = resized(l.patches, n*l.in.Size())
	at := 0
	for i := range n {
		for t := range l.tokens - 1 {
			for c := range l.in.C {
				for r := range p {
					from := ((i*l.in.C+c)*l.in.H+t/across*p+r)*l.in.W + t%across*p
					at += copy(l.patches[at:], x[from:from+p])
				}
			}
		}
	}
}

// Backward implements Layer.
func (l *PatchEmbed) Backward(gy []float32, n int) []float32 {
	checkItems("PatchEmbed", gy, n, l.tokens*l.d)
	l.g = resized(l.g, n*(l.tokens-1)*l.d)
	for i := range n {
		g := gy[i*l.tokens*l.d : (i+1)*l.tokens*l.d]
		add(l.class.Grad, g[:l.d])
		add(l.place.Grad, g)
		copy(l.g[i*(l.tokens-1)*l.d:], g[l.d:])
	}
	l.linear.Backward(l.g, n*(l.tokens-1))
	return nil
}

// Params implements Layer.
func (l *PatchEmbed) Params() []*optim.Param { return append(l.linear.Params(), l.class, l.place) }

// Out implements Layer.
func (l *PatchEmbed) Out() Shape { return Shape{l.tokens * l.d, 1, 1} }

// FirstToken takes the first of an item's tokens, the class token.
type FirstToken struct {
	tokens, d int
	y, gx     []float32
}

// NewFirstToken makes a FirstToken of items of tokens tokens of d entries.
func NewFirstToken(tokens, d int) *FirstToken { return &FirstToken{tokens: tokens, d: d} }

// Forward implements Layer.
func (l *FirstToken) Forward(x []float32, n int, training bool) []float32 {
	checkItems("FirstToken", x, n, l.tokens*l.d)
	l.y = resized(l.y, n*l.d)
	for i := range n {
		copy(l.y[i*l.d:(i+1)*l.d], x[i*l.tokens*l.d:])
	}
	return l.y
}

// Backward implements Layer.
func (l *FirstToken) Backward(gy []float32, n int) []float32 {
	checkItems("FirstToken", gy, n, l.d)
	l.gx = resized(l.gx, n*l.tokens*l.d)
	clear(l.gx)
	for i := range n {
		copy(l.gx[i*l.tokens*l.d:], gy[i*l.d:(i+1)*l.d])
	}
	return l.gx
}

// Params implements Layer.
func (l *FirstToken) Params() []*optim.Param { return nil }

// Out implements Layer.
func (l *FirstToken) Out() Shape { return Shape{l.d, 1, 1} }
