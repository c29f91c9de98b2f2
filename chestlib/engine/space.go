package engine

import (
	"math"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

const (
	chunkRows = 256 // rows of the batch that one product takes
	mostLanes = 16  // partial sums of the gradient by x; each has the size of x
)

// space is the classification in one of the two spaces: its proxies, the batch
// as its points, and the buffers between the phases of a step.
//
// Rows of the batch are points x, proxies are points p in blocks' order.
type space struct {
	chart    chart
	ball     bool
	def      *ball.Ball      // nil on the sphere
	kind     loss.Similarity // of the ball
	free     bool            // proxies are not clipped
	d, k     int             // dimensions, proxies a class
	classes  int
	lambda   float64
	delta    float64
	inverse  float32 // 1/γ
	tau      float64
	weight   float64 // of the loss in the whole
	proxies  *optim.Param
	blocks   []block
	lanes    int
	p        []float32 // CK×D
	pulls    []pull    // of the proxies
	pp, bq   []float32 // ‖p‖², 1-c‖p‖²
	inverseB []float32 // 1/(1-c‖p‖²)

	// of the batch
	u       []float32
	x       []float32 // B×D
	points  []pull
	xx, a   []float32      // ‖x‖², 1-c‖x‖²
	packed  []sgemm.Packed // x, a chunk each
	s       []float32      // B×CK, in blocks: cosines, or squared distances in the ball
	relaxed []float32      // B×C: S, then the gradient by it
	rowLoss []float64
	part    []float32 // lanes×B×D: gradients by x
	rowW    []float32 // lanes×B: sums of BallDistanceGrad
	rowV    []float32

	merges []float64 // τR of each block
	norms  []float64 // squared norm of the gradient by the proxies of each block

	// for the gradient by the ball, if it is learned
	lengths   []float64   // Σ G D of each lane
	blockSums []ball.Sums // of the proxies of each block, and of the tree's means
	rowSums   []ball.Sums // of the rows of each task
}

// newSpace prepares the parts that do not depend on the batch.
func newSpace(s space) *space {
	rows := s.classes * s.k
	s.blocks = cut(s.classes, s.k)
	s.lanes = min(len(s.blocks), mostLanes)
	s.p, s.pulls = make([]float32, rows*s.d), make([]pull, rows)
	if s.ball {
		s.pp, s.bq, s.inverseB = make([]float32, rows), make([]float32, rows), make([]float32, rows)
	}
	s.merges, s.norms = make([]float64, len(s.blocks)), make([]float64, len(s.blocks))
	if s.learns() {
		s.lengths, s.blockSums = make([]float64, s.lanes), make([]ball.Sums, len(s.blocks))
	}
	return &s
}

// fit takes a batch.
func (s *space) fit(u []float32, train bool) {
	n := len(u) / s.d
	s.u = u
	s.x, s.points = resized(s.x, n*s.d), resized(s.points, n)
	s.xx, s.a = resized(s.xx, n), resized(s.a, n)
	for len(s.packed) < s.chunks() {
		s.packed = append(s.packed, sgemm.Packed{})
	}
	s.s, s.relaxed = resized(s.s, n*s.classes*s.k), resized(s.relaxed, n*s.classes)
	s.rowLoss = resized(s.rowLoss, n)
	if train {
		s.part = resized(s.part, s.lanes*n*s.d)
		s.rowW, s.rowV = resized(s.rowW, s.lanes*n), resized(s.rowV, s.lanes*n)
	}
	if s.learns() {
		s.rowSums = resized(s.rowSums, s.rowTasks())
	}
}

func (s *space) rows() int   { return len(s.u) / s.d }
func (s *space) chunks() int { return (s.rows() + chunkRows - 1) / chunkRows }

// chunk returns the rows [lo, hi) of a chunk.
func (s *space) chunk(c int) (lo, hi int) { return c * chunkRows, min((c+1)*chunkRows, s.rows()) }

// mapRows computes the points of a chunk and packs them for the gradient.
func (s *space) mapRows(c int, train bool) (clipped int) {
	lo, hi := s.chunk(c)
	for i := lo; i < hi; i++ {
		u, x := s.u[i*s.d:(i+1)*s.d], s.x[i*s.d:(i+1)*s.d]
		pt := s.chart.at(vmath.Dot64(u, u))
		if pt.clipped {
			clipped++
		}
		vmath.Scale(x, float32(pt.f), u)
		s.points[i] = pt.pull
		s.xx[i], s.a[i] = float32(vmath.Dot64(x, x)), float32(pt.room)
	}
	if train {
		s.packed[c].Pack(sgemm.Dense(s.x[lo*s.d:hi*s.d], hi-lo, s.d), false)
	}
	return clipped
}

// mapProxies computes the points of a block of proxies.
func (s *space) mapProxies(b block) {
	chart := s.proxyChart()
	for c := range b.n {
		for k := range s.k {
			from, to := (b.first+c)*s.k+k, b.at+k*b.n+c
			v, p := s.proxies.Value[from*s.d:(from+1)*s.d], s.p[to*s.d:(to+1)*s.d]
			pt := chart.at(vmath.Dot64(v, v))
			vmath.Scale(p, float32(pt.f), v)
			s.pulls[to] = pt.pull
			if s.ball {
				s.pp[to] = float32(vmath.Dot64(p, p))
				s.bq[to], s.inverseB[to] = float32(pt.room), float32(1/pt.room)
			}
		}
	}
}

// proxyChart is the chart of proxies.
func (s *space) proxyChart() chart {
	m := s.chart
	if s.free {
		m.r = math.Inf(1)
	}
	return m
}

// block returns the points of a block as a matrix.
func (s *space) block(b block) sgemm.Matrix {
	return sgemm.Dense(s.p[b.at*s.d:(b.at+b.n*s.k)*s.d], b.n*s.k, s.d)
}

// tile is the part of s of the rows [lo, hi) and a block: rows×columns, dense.
func (s *space) tile(b block, lo, hi int) []float32 {
	columns := b.n * s.k
	at := s.rows()*b.at + lo*columns
	return s.s[at : at+(hi-lo)*columns]
}

// forward computes the similarities of all rows to a block, and S from them.
func (s *space) forward(b block, w *worker) {
	columns := b.n * s.k
	w.right.Pack(s.block(b), true)
	for c := range s.chunks() {
		lo, hi := s.chunk(c)
		tile := s.tile(b, lo, hi)
		w.gemm.MulPacked(sgemm.Dense(tile, hi-lo, columns), sgemm.Dense(s.x[lo*s.d:hi*s.d], hi-lo, s.d), false, &w.right, 1, 0)
		for i := lo; i < hi; i++ {
			row := tile[(i-lo)*columns : (i-lo+1)*columns]
			if s.ball {
				s.squared(row, i, b)
				row, _ = s.similarities(row, i, b, w)
			}
			vmath.Assign(nil, s.relaxed[i*s.classes+b.first:][:b.n], row, s.k, b.n, s.inverse)
		}
	}
}

// classify turns S of a row into its loss and, to train, into the gradient by S.
//
//	z_c = λ (S_c - δ [c = y]),  L = log Σ exp z - z_y,  ∂L/∂S_c = λ (softmax(z)_c - [c = y])
func (s *space) classify(i, label int, train bool) {
	z := s.relaxed[i*s.classes : (i+1)*s.classes]
	vmath.Scale(z, float32(s.lambda), z)
	z[label] -= float32(s.lambda * s.delta)
	own := z[label]
	if !train {
		s.rowLoss[i] = float64(vmath.LogSumExp(z)) - float64(own)
		return
	}
	s.rowLoss[i] = float64(vmath.Softmax(z, z)) - float64(own)
	scale := s.weight * s.lambda / float64(s.rows())
	vmath.Scale(z, float32(scale), z)
	z[label] -= float32(scale)
}

// backward computes the gradients of a lane's blocks: by their proxies, in
// gradient, and its share of that by x.
func (s *space) backward(lane int, w *worker, extra *tree, more bool) {
	n := s.rows()
	part := s.part[lane*n*s.d : (lane+1)*n*s.d]
	rowW, rowV := s.rowW[lane*n:(lane+1)*n], s.rowV[lane*n:(lane+1)*n]
	clear(rowW)
	clear(rowV)
	var length float64
	for at := lane; at < len(s.blocks); at += s.lanes {
		b := s.blocks[at]
		columns := b.n * s.k
		gp := resized(w.gp, columns*s.d)
		w.gp = gp
		colW, colV := w.colW[:columns], w.colV[:columns]
		clear(colW)
		clear(colV)
		w.right.Pack(s.block(b), false)
		sign := float32(1)
		if s.ball {
			sign = -1
		}
		for c := range s.chunks() {
			lo, hi := s.chunk(c)
			g := w.g[:(hi-lo)*columns]
			tile := s.tile(b, lo, hi)
			for i := lo; i < hi; i++ {
				length += s.weights(g[(i-lo)*columns:(i-lo+1)*columns], tile[(i-lo)*columns:(i-lo+1)*columns], i, b, colW, colV, rowW, rowV, w)
			}
			G := sgemm.Dense(g, hi-lo, columns)
			w.gemm.MulPacked(sgemm.Dense(gp, columns, s.d), G, true, &s.packed[c], sign, beta(c > 0))
			w.gemm.MulPacked(sgemm.Dense(part[lo*s.d:hi*s.d], hi-lo, s.d), G, false, &w.right, sign, beta(at > lane))
		}
		if n == 0 {
			clear(gp)
		}
		s.finish(at, gp, colW, colV, extra, more, w)
	}
	if s.learns() {
		s.lengths[lane] = length
	}
}

// beta is 1 to add to a matrix, 0 to begin it.
func beta(more bool) float32 {
	if more {
		return 1
	}
	return 0
}

// weights writes the gradient by the similarities of row i to a block into g;
// in the ball it goes on to the weights of BallDistanceGrad and, if it is
// learned, returns Σ G D.
func (s *space) weights(g, row []float32, i int, b block, colW, colV, rowW, rowV []float32, w *worker) (length float64) {
	gS := s.relaxed[i*s.classes+b.first:][:b.n]
	sim, dist := row, row
	if s.ball {
		sim, dist = s.similarities(row, i, b, w)
		vmath.Scale(w.gS[:b.n], s.slope(), gS)
		gS = w.gS[:b.n]
	}
	S := w.S[:b.n]
	vmath.Assign(g, S, sim, s.k, b.n, s.inverse)
	vmath.AssignGrad(g, sim, S, gS, s.k, b.n, s.inverse)
	if !s.ball {
		return 0
	}
	switch s.kind {
	case loss.NegativeSquared:
		vmath.Mul(g, g, dist)
	case loss.Exponential:
		vmath.Mul(g, g, sim)
	}
	if s.learns() {
		length = s.length(g, sim, dist)
	}
	W, V := vmath.BallDistanceGrad(g, colW, colV, row, s.a[i], s.bq[b.at:b.at+b.n*s.k], float32(s.chart.c))
	rowW[i] += W
	rowV[i] += V
	return length
}

// finish adds what does not go through the batch to the gradient gp by the
// points of a block, and pulls it back to the params; more adds to what they have.
func (s *space) finish(at int, gp, colW, colV []float32, extra *tree, more bool, w *worker) {
	b := s.blocks[at]
	if s.ball {
		for j := range b.n * s.k {
			f := float64(colW[j]) + s.chart.c*float64(colV[j])/float64(s.bq[b.at+j])
			vmath.Axpy(gp[j*s.d:(j+1)*s.d], float32(f), s.p[(b.at+j)*s.d:(b.at+j+1)*s.d])
		}
		if extra != nil && !extra.means {
			extra.add(gp, b.at, b.n*s.k, s.d)
		}
	}
	s.merges[at] = s.merge(b, gp)
	var norm float64
	var sums ball.Sums
	for c := range b.n {
		var mean []float32 // gradient by each of the class's tangent proxies, through their mean
		if s.ball && extra != nil {
			mean = extra.pullMean(b.first+c, w.mean, &sums)
		}
		for k := range s.k {
			j, to := k*b.n+c, (b.first+c)*s.k+k
			v, g := s.proxies.Value[to*s.d:(to+1)*s.d], s.proxies.Grad[to*s.d:(to+1)*s.d]
			if !more {
				clear(g)
			}
			p := &s.pulls[b.at+j]
			sums.Add(p.sums(p.back(g, v, gp[j*s.d:(j+1)*s.d])))
			if mean != nil {
				vmath.Add(g, g, mean)
			}
			norm += vmath.Dot64(g, g)
		}
	}
	s.norms[at] = norm
	if s.learns() {
		s.blockSums[at] = sums
	}
}

// collect sums the lanes' gradients by x of one row, pulls them back to gu and
// returns the row's share of the gradient by the ball.
func (s *space) collect(i int, gu []float32) ball.Sums {
	n := s.rows()
	sum := s.part[i*s.d : (i+1)*s.d]
	var W, V float64
	for lane := range s.lanes {
		if lane > 0 {
			vmath.Add(sum, sum, s.part[(lane*n+i)*s.d:(lane*n+i+1)*s.d])
		}
		W += float64(s.rowW[lane*n+i])
		V += float64(s.rowV[lane*n+i])
	}
	if s.ball {
		f := W + s.chart.c*V/float64(s.a[i])
		vmath.Axpy(sum, float32(f), s.x[i*s.d:(i+1)*s.d])
	}
	row := gu[i*s.d : (i+1)*s.d]
	clear(row)
	p := &s.points[i]
	return p.sums(p.back(row, s.u[i*s.d:(i+1)*s.d], sum))
}

// resized returns a slice of n entries, in the memory of x if that is enough.
// The entries are arbitrary.
func resized[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}
