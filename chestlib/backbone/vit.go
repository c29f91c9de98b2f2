package backbone

import (
	"cmp"
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

// vitEps is what the LayerNorms of published vision transformers add to the
// variance.
const vitEps = 1e-6

// ViTOptions are the sizes of a vision transformer. The zero value is ViT-S/16 on
// images of 224×224.
type ViTOptions struct {
	H, W  int // pixels of an image, multiples of Patch; 0 means 224
	Patch int // pixels of a patch's side; 0 means 16
	Width int // numbers of a token, and features; 0 means 384
	Depth int // blocks; 0 means 12
	Heads int // of attention, a divisor of Width; 0 means 6
}

// filled is o with its defaults, checked.
func (o ViTOptions) filled() (ViTOptions, error) {
	if o.H < 0 || o.W < 0 || o.Patch < 0 || o.Width < 0 || o.Depth < 0 || o.Heads < 0 {
		return o, fmt.Errorf("backbone: ViT: a negative size in %+v; 0 means the default", o)
	}
	o = ViTOptions{cmp.Or(o.H, 224), cmp.Or(o.W, 224), cmp.Or(o.Patch, 16), cmp.Or(o.Width, 384), cmp.Or(o.Depth, 12), cmp.Or(o.Heads, 6)}
	if o.H%o.Patch != 0 || o.W%o.Patch != 0 {
		return o, fmt.Errorf("backbone: ViT: images of %d×%d cannot be cut into patches of %d×%d; give sides that are multiples of %d", o.H, o.W, o.Patch, o.Patch, o.Patch)
	}
	if o.Width%o.Heads != 0 {
		return o, fmt.Errorf("backbone: ViT: Width %d is not a multiple of Heads %d", o.Width, o.Heads)
	}
	return o, nil
}

// grid is the number of patches down and across.
func (o ViTOptions) grid() (down, across int) { return o.H / o.Patch, o.W / o.Patch }

// name says which network it is.
func (o ViTOptions) name() string {
	if o.Patch == 16 && o.Width == 384 && o.Depth == 12 && o.Heads == 6 {
		return "vit_s16"
	}
	return fmt.Sprintf("vit of width %d, depth %d, heads %d, patch %d", o.Width, o.Depth, o.Heads, o.Patch)
}

// specs are the weights' names and shapes.
func (o ViTOptions) specs() []spec {
	d := o.Width
	down, across := o.grid()
	all := []spec{
		{"cls_token", []int{1, 1, d}}, {"pos_embed", []int{1, 1 + down*across, d}},
		{"patch_embed.proj.weight", []int{d, 3, o.Patch, o.Patch}}, {"patch_embed.proj.bias", []int{d}},
	}
	for b := range o.Depth {
		for _, s := range []spec{
			{"norm1.weight", []int{d}}, {"norm1.bias", []int{d}},
			{"attn.qkv.weight", []int{3 * d, d}}, {"attn.qkv.bias", []int{3 * d}},
			{"attn.proj.weight", []int{d, d}}, {"attn.proj.bias", []int{d}},
			{"norm2.weight", []int{d}}, {"norm2.bias", []int{d}},
			{"mlp.fc1.weight", []int{4 * d, d}}, {"mlp.fc1.bias", []int{4 * d}},
			{"mlp.fc2.weight", []int{d, 4 * d}}, {"mlp.fc2.bias", []int{d}},
		} {
			all = append(all, spec{fmt.Sprintf("blocks.%d.%s", b, s.name), s.shape})
		}
	}
	return append(all, spec{"norm.weight", []int{d}}, spec{"norm.bias", []int{d}})
}

// take reads the weights from a file and brings the positions to the images'
// grid. The file's grid may be another square one.
func (o ViTOptions) take(f *file) (tensors, error) {
	t, err := f.take(o.name(), "patch_embed.proj.weight", o.specs(), func(name string, shape []int) bool {
		if name != "pos_embed" || len(shape) != 3 || shape[0] != 1 || shape[2] != o.Width {
			return false
		}
		return squareRoot(shape[1]-1) > 0
	})
	if err != nil {
		return nil, err
	}
	place := t["pos_embed"]
	down, across := o.grid()
	// as many places as wanted may be those of a square, too: 4×9 and 6×6
	if side := squareRoot(len(place)/o.Width - 1); side > 0 && (side != down || side != across) {
		t["pos_embed"] = append(place[:o.Width:o.Width], resample(place[o.Width:], side, side, down, across, o.Width)...)
	}
	return t, nil
}

// squareRoot is the root of a square, 0 for other numbers.
func squareRoot(n int) int {
	if r := int(math.Round(math.Sqrt(float64(max(n, 0))))); r*r == n {
		return r
	}
	return 0
}

// ViT is a vision transformer; its features are the class token behind the last
// LayerNorm. Its blocks are pre-norm, with exact GELU.
//
//	x₀ = (class; W patches + b) + positions
//	x ← x + attention(norm(x)),  x ← x + W₂ gelu(W₁ norm(x) + b₁) + b₂
//
// Memory: the weights, 87 MB for ViT-S/16, and twice that while they are read; for
// each processor the numbers of some 400 tokens six times, 4 MB for ViT-S/16 at
// 224×224. The last block computes the class token only.
//
// Sources: A. Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021);
// H. Touvron et al., "Training data-efficient image transformers" (2021).
type ViT struct {
	network
	o            ViTOptions
	tokens       int // patches and the class token
	embed        *linear
	class, place []float32
	blocks       []vitBlock
	norm         norm
	workers      []vitWorker
}

// vitBlock is the weights of a block.
type vitBlock struct {
	norm1, norm2         norm
	qkv, out, up, narrow *linear
}

// vitWorker is the memory of one worker.
type vitWorker struct {
	gemm sgemm.Workspace
	x, h []float32 // rows of the tokens of some images × d
	wide []float32 // patches, q k v, or the MLP's inner layer
	p    []float32 // tokens × tokens
}

// OpenViT reads a vision transformer from a file of safetensors with the names of
// timm, DINO and DeiT: cls_token, pos_embed, patch_embed.proj, blocks.N.norm1,
// attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2 and norm, in F32, F16, BF16 or F64.
// All may have one prefix, such as "module." or "teacher.backbone."; heads are
// left out. Whatever else is missing, of another shape or not known is an error
// that lists all of it.
//
// weights is a path, or a plain name of a file in the folder that the
// environment variable CHEST_WEIGHTS names. A missing file is an error that
// wraps ErrNoWeights and says where to get it; nothing is downloaded.
//
// For images of another size than the weights' the positions are resampled
// (cubic convolution, no antialias).
func OpenViT(weights string, o ViTOptions) (*ViT, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	f, err := open("vit", weights)
	if err != nil {
		return nil, err
	}
	defer f.close()
	t, err := o.take(f)
	if err != nil {
		return nil, err
	}
	return newViT(o, t, f.sum), nil
}

// UntrainedViT makes a vision transformer with random weights.
func UntrainedViT(o ViTOptions, seed uint64) (*ViT, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	return newViT(o, random(o.specs(), seed), fmt.Sprintf("untrained, seed %d", seed)), nil
}

func newViT(o ViTOptions, t tensors, sum string) *ViT {
	d := o.Width
	down, across := o.grid()
	b := &ViT{
		network: network{name: o.name(), weights: sum, in: model.Shape{C: 3, H: o.H, W: o.W}, width: d},
		o:       o, tokens: 1 + down*across, class: t["cls_token"], place: t["pos_embed"], norm: t.norm("norm", vitEps),
		embed: t.linear("patch_embed.proj", d, 3*o.Patch*o.Patch),
	}
	for i := range o.Depth {
		name := fmt.Sprintf("blocks.%d.", i)
		b.blocks = append(b.blocks, vitBlock{
			norm1: t.norm(name+"norm1", vitEps), qkv: t.linear(name+"attn.qkv", 3*d, d), out: t.linear(name+"attn.proj", d, d),
			norm2: t.norm(name+"norm2", vitEps), up: t.linear(name+"mlp.fc1", 4*d, d), narrow: t.linear(name+"mlp.fc2", d, 4*d),
		})
	}
	return b
}

// groupRows is how many tokens are computed at a time, about.
const groupRows = 400

// Features implements Backbone.
func (b *ViT) Features(x []float32, n int) []float32 {
	b.checkImages(x, n)
	for len(b.workers) < parallel.Workers(n) {
		b.workers = append(b.workers, vitWorker{})
	}
	return b.each(x, n, max(groupRows/b.tokens, 1), func(worker int, y, images []float32, count int) {
		b.forward(&b.workers[worker], y, images, count)
	})
}

// forward computes n images.
func (b *ViT) forward(w *vitWorker, y, images []float32, n int) {
	t, d := b.tokens, b.o.Width
	w.x, w.h, w.p = grown(w.x, n*t*d), grown(w.h, n*t*d), grown(w.p, t*t)
	w.wide = grown(w.wide, n*max(t*4*d, (t-1)*b.embed.in))
	for i := range n {
		b.start(w, w.x[i*t*d:(i+1)*t*d], images[i*b.in.Size():(i+1)*b.in.Size()])
	}
	for i := range b.blocks {
		rows := t
		if i == len(b.blocks)-1 {
			rows = 1 // nobody asks for the others
		}
		b.block(&b.blocks[i], w, n, rows)
	}
	b.norm.rows(y, w.x, n)
}

// start writes the tokens of an image to x.
func (b *ViT) start(w *vitWorker, x, image []float32) {
	d, p := b.o.Width, b.o.Patch
	down, across := b.o.grid()
	at := 0
	for t := range down * across {
		for c := range 3 {
			for r := range p {
				from := (c*b.o.H+t/across*p+r)*b.o.W + t%across*p
				at += copy(w.wide[at:], image[from:from+p])
			}
		}
	}
	copy(x, b.class)
	b.embed.write(&w.gemm, x[d:], sgemm.Dense(w.wide[:at], down*across, b.embed.in))
	vmath.Add(x, x, b.place)
}

// block computes the first rows of x of each of n images behind a block, and moves
// them together.
func (b *ViT) block(l *vitBlock, w *vitWorker, n, rows int) {
	t, d := b.tokens, b.o.Width
	qkv := w.wide[:n*t*3*d]
	l.norm1.rows(w.h, w.x, n*t)
	l.qkv.write(&w.gemm, qkv, sgemm.Dense(w.h[:n*t*d], n*t, d))
	for i := range n { // the heads' results go to h
		for head := range b.o.Heads {
			b.attend(w, w.h[i*rows*d:(i+1)*rows*d], qkv[i*t*3*d:(i+1)*t*3*d], head, rows)
		}
		copy(w.x[i*rows*d:(i+1)*rows*d], w.x[i*t*d:])
	}
	all := n * rows
	x, h := w.x[:all*d], w.h[:all*d]
	l.out.add(&w.gemm, x, sgemm.Dense(h, all, d))
	l.norm2.rows(h, x, all)
	inner := w.wide[:all*4*d]
	l.up.write(&w.gemm, inner, sgemm.Dense(h, all, d))
	vmath.Gelu(inner, inner)
	l.narrow.add(&w.gemm, x, sgemm.Dense(inner, all, 4*d))
}

// attend computes a head's result for the first rows of an image.
//
//	h = softmax(q kᵀ/√(d/heads)) v
func (b *ViT) attend(w *vitWorker, h, qkv []float32, head, rows int) {
	t, d := b.tokens, b.o.Width
	width := d / b.o.Heads
	part := func(number, rows int) sgemm.Matrix {
		return sgemm.Matrix{Data: qkv[number*d+head*width:], Rows: rows, Cols: width, Stride: 3 * d}
	}
	p := sgemm.Dense(w.p[:rows*t], rows, t)
	w.gemm.Mul(p, part(0, rows), false, part(1, t), true, float32(1/math.Sqrt(float64(width))), 0)
	for i := range rows {
		row := p.Data[i*t : (i+1)*t]
		vmath.Softmax(row, row)
	}
	w.gemm.Mul(sgemm.Matrix{Data: h[head*width:], Rows: rows, Cols: width, Stride: d}, p, false, part(2, t), false, 1, 0)
}

// Operations implements Backbone.
func (b *ViT) Operations() float64 {
	t, d := float64(b.tokens), float64(b.o.Width)
	block := func(rows float64) float64 { return 2 * (3*t*d*d + 9*rows*d*d + 2*rows*t*d) }
	return 2*(t-1)*float64(b.embed.in)*d + float64(b.o.Depth-1)*block(t) + block(1)
}

// norm is a LayerNorm.
//
//	y = gain (x - mean)/√(var + ε) + bias
type norm struct {
	gain, bias []float32
	eps        float64
}

// apply normalises one row.
func (l norm) apply(y, x []float32) {
	d := float64(len(x))
	mean := vmath.Sum64(x) / d
	// float64 sums of float32 squares: nothing to lose unless mean² > 1e9 var
	root := 1 / math.Sqrt(max(vmath.Dot64(x, x)/d-mean*mean, 0)+l.eps)
	vmath.Affine(y, float32(root), x, float32(-mean*root))
	vmath.Mul(y, y, l.gain)
	vmath.Add(y, y, l.bias)
}

// rows normalises the first rows.
func (l norm) rows(y, x []float32, rows int) {
	d := len(l.gain)
	for i := range rows {
		l.apply(y[i*d:(i+1)*d], x[i*d:(i+1)*d])
	}
}

// linear is the map of NAME.weight and NAME.bias.
func (t tensors) linear(name string, out, in int) *linear {
	return newLinear(t[name+".weight"], t[name+".bias"], out, in)
}

// norm is the LayerNorm of NAME.weight and NAME.bias.
func (t tensors) norm(name string, eps float64) norm {
	return norm{t[name+".weight"], t[name+".bias"], eps}
}
