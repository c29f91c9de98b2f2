package model

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

// Attention is multi-head self-attention among the tokens of an item. For each
// head, with d/heads columns of the linear maps q, k and v of the tokens,
//
//	p = softmax(q kᵀ/√(d/heads)) by rows,  o = p v
//
// and y is a linear map of all heads' o side by side.
//
// Memory: n·heads·tokens² numbers for p, which Backward takes again.
//
// Source: A. Vaswani et al., "Attention Is All You Need" (2017), 3.2.
type Attention struct {
	tokens, d, heads int
	in, out          *Linear // d → 3d: q, k and v; d → d
	qkv, o           []float32
	p                []float32 // n·heads × tokens × tokens
	gradO, gqkv      []float32
	workers          []attentionWorker
}

// attentionWorker is the memory of one worker.
type attentionWorker struct {
	gemm sgemm.Workspace
	gp   []float32 // tokens × tokens
}

// NewAttention makes an Attention of items of tokens tokens of d entries, with
// normal weights of deviation std and bias 0. Its params are name.qkv.weight,
// name.qkv.bias, name.out.weight and name.out.bias. It panics if heads does not
// divide d.
func NewAttention(name, group string, tokens, d, heads int, std float64, rng *rand.Rand) *Attention {
	if heads < 1 || d%heads != 0 {
		panic(fmt.Sprintf("model: Attention: %d entries do not make %d heads", d, heads))
	}
	return &Attention{tokens: tokens, d: d, heads: heads,
		in: NewLinear(name+".qkv", group, d, 3*d, std, rng), out: NewLinear(name+".out", group, d, d, std, rng)}
}

// Forward implements Layer.
func (l *Attention) Forward(x []float32, n int, training bool) []float32 {
	checkItems("Attention", x, n, l.tokens*l.d)
	l.qkv = l.in.Forward(x, n*l.tokens, training)
	l.o = resized(l.o, len(x))
	l.p = resized(l.p, n*l.heads*l.tokens*l.tokens)
	parallel.Tasks(l.crew(n*l.heads), n*l.heads, func(task, worker int) { l.forward(task, &l.workers[worker]) })
	return l.out.Forward(l.o, n*l.tokens, training)
}

// crew is the number of workers for so many tasks, each with its memory.
func (l *Attention) crew(tasks int) int {
	n := parallel.Workers(tasks)
	for len(l.workers) < n {
		l.workers = append(l.workers, attentionWorker{})
	}
	return n
}

// part is q, k or v, number 0, 1 or 2, of a task's head in x, tokens × d/heads.
func (l *Attention) part(x []float32, task, number int) sgemm.Matrix {
	item, head, width := task/l.heads, task%l.heads, l.d/l.heads
	at := item*l.tokens*3*l.d + number*l.d + head*width
	return sgemm.Matrix{Data: x[at : (item+1)*l.tokens*3*l.d], Rows: l.tokens, Cols: width, Stride: 3 * l.d}
}

// head is a task's head in x, tokens × d/heads.
func (l *Attention) head(x []float32, task int) sgemm.Matrix {
	item, head, width := task/l.heads, task%l.heads, l.d/l.heads
	return sgemm.Matrix{Data: x[item*l.tokens*l.d+head*width : (item+1)*l.tokens*l.d], Rows: l.tokens, Cols: width, Stride: l.d}
}

// weights is a task's p.
func (l *Attention) weights(task int) sgemm.Matrix {
	size := l.tokens * l.tokens
	return sgemm.Dense(l.p[task*size:(task+1)*size], l.tokens, l.tokens)
}

func (l *Attention) scale() float32 { return float32(1 / math.Sqrt(float64(l.d/l.heads))) }

// forward computes one head of one item.
func (l *Attention) forward(task int, w *attentionWorker) {
	p := l.weights(task)
	w.gemm.Mul(p, l.part(l.qkv, task, 0), false, l.part(l.qkv, task, 1), true, l.scale(), 0)
	for t := range l.tokens {
		row := p.Data[t*l.tokens : (t+1)*l.tokens]
		vmath.Softmax(row, row)
	}
	w.gemm.Mul(l.head(l.o, task), p, false, l.part(l.qkv, task, 2), false, 1, 0)
}

// Backward implements Layer. For each head, with s = q kᵀ/√(d/heads),
//
//	∂v = pᵀ ∂o,  ∂p = ∂o vᵀ,  ∂s = p (∂p - rowsum(p ∂p))
//	∂q = ∂s k/√(d/heads),  ∂k = ∂sᵀ q/√(d/heads)
func (l *Attention) Backward(gy []float32, n int) []float32 {
	checkItems("Attention", gy, n, l.tokens*l.d)
	l.gradO = l.out.Backward(gy, n*l.tokens)
	l.gqkv = resized(l.gqkv, len(l.qkv))
	parallel.Tasks(l.crew(n*l.heads), n*l.heads, func(task, worker int) { l.backward(task, &l.workers[worker]) })
	return l.in.Backward(l.gqkv, n*l.tokens)
}

// backward computes one head of one item.
func (l *Attention) backward(task int, w *attentionWorker) {
	p, g := l.weights(task), l.head(l.gradO, task)
	w.gp = resized(w.gp, l.tokens*l.tokens)
	gp := sgemm.Dense(w.gp, l.tokens, l.tokens)
	w.gemm.Mul(l.part(l.gqkv, task, 2), p, true, g, false, 1, 0)
	w.gemm.Mul(gp, g, false, l.part(l.qkv, task, 2), true, 1, 0)
	for t := range l.tokens {
		row := gp.Data[t*l.tokens : (t+1)*l.tokens]
		vmath.SoftmaxGrad(row, p.Data[t*l.tokens:(t+1)*l.tokens], row)
	}
	w.gemm.Mul(l.part(l.gqkv, task, 0), gp, false, l.part(l.qkv, task, 1), false, l.scale(), 0)
	w.gemm.Mul(l.part(l.gqkv, task, 1), gp, true, l.part(l.qkv, task, 0), false, l.scale(), 0)
}

// Params implements Layer.
func (l *Attention) Params() []*optim.Param { return append(l.in.Params(), l.out.Params()...) }

// Out implements Layer.
func (l *Attention) Out() Shape { return Shape{l.tokens * l.d, 1, 1} }
