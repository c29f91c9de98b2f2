package cuda

import (
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/loss"
)

// space is the classification in one of the two spaces, on the device. Rows of
// the batch are points x, proxies are points p, in rows c·K+k.
type space struct {
	ball, free       bool // free: proxies are not clipped
	chart            kernels.Chart
	kind             int
	d, k, classes    int
	lambda, delta    float64
	gamma, tau       float64
	weight           float64
	t                *tensor // the proxies
	mapped           bool    // p belongs to them
	p                points
	norm             piece
	coef, diag, pair piece // of the merging term

	u, gu, gx, gp          piece
	x                      points
	s, relaxed, spread     piece
	lse, loss              piece
	rowW, rowV, colW, colV piece

	lossSum, mergeSum, normSum, clippedSum int // places in sums
}

// points are the pieces of kernels.Points.
type points struct{ x, alpha, beta, square, room, inverse, clipped piece }

func (p *points) fit(m *memory, n, d int) error {
	return m.fits(&p.x, 4*n*d, &p.alpha, 8*n, &p.beta, 8*n, &p.square, 4*n, &p.room, 4*n, &p.inverse, 4*n, &p.clipped, 8*n)
}

func (p *points) all() kernels.Points {
	return kernels.Points{X: p.x.at, Alpha: p.alpha.at, Beta: p.beta.at, Square: p.square.at, Room: p.room.at, Inverse: p.inverse.at, Clipped: p.clipped.at}
}

func newSphere(l *loss.SoftTriple, weight float64) *space {
	o, p := l.Options(), l.Proxies()
	return &space{chart: kernels.Chart{Sphere: true, R: infinite}, kind: kernels.Sphere, d: p.Shape[1], k: o.Proxies, classes: p.Shape[0] / o.Proxies,
		lambda: o.Lambda, delta: max(o.Delta, 0), gamma: o.Gamma, tau: o.Tau, weight: weight}
}

func newBall(l *loss.HyperSoftTriple, weight float64) *space {
	o, p := l.Options(), l.Proxies()
	r := o.Clip
	if r < 0 {
		r = infinite
	}
	return &space{ball: true, free: o.FreeProxies, chart: kernels.Chart{C: o.Curvature, R: r}, kind: int(o.Similarity), d: p.Shape[1], k: o.Proxies,
		classes: p.Shape[0] / o.Proxies, lambda: o.Lambda, delta: max(o.Delta, 0), gamma: o.Gamma, tau: o.Tau, weight: weight}
}

func (s *space) columns() int { return s.classes * s.k }
func (s *space) size() int    { return s.columns() * s.d }
func (s *space) merges() bool { return s.k > 1 && s.tau != 0 }

// allocate makes room for the proxies.
func (s *space) allocate(m *memory) error {
	if err := m.fit(&s.norm, 8*s.columns()); err != nil {
		return err
	}
	if s.merges() {
		pairs := s.columns() * s.k
		if err := m.fits(&s.coef, 4*pairs, &s.diag, 4*pairs, &s.pair, 4*pairs); err != nil {
			return err
		}
	}
	return s.p.fit(m, s.columns(), s.d)
}

// splitsX and splitsP are the parts of the products for the gradients.
func (s *space) splitsX(set *kernels.Set, n int) int { return set.Splits(n, s.d, s.columns()) }
func (s *space) splitsP(set *kernels.Set, n int) int { return set.Splits(s.columns(), s.d, n) }

// fit makes room for n rows.
func (s *space) fit(set *kernels.Set, m *memory, n int) error {
	a := s.assign(n)
	if err := s.x.fit(m, n, s.d); err != nil {
		return err
	}
	return m.fits(&s.u, 4*n*s.d, &s.gu, 4*n*s.d, &s.gx, 4*s.splitsX(set, n)*n*s.d, &s.s, 4*n*s.columns(), &s.relaxed, 4*n*s.classes, &s.spread, 4*n*s.classes,
		&s.lse, 4*n, &s.loss, 8*n, &s.rowW, 4*a.Parts()*n, &s.rowV, 4*a.Parts()*n, &s.colW, 4*a.Chunks()*s.columns(), &s.colV, 4*a.Chunks()*s.columns())
}

// assign describes the assignment of n rows.
func (s *space) assign(n int) kernels.Assign {
	return kernels.Assign{N: n, Classes: s.classes, Proxies: s.k, Kind: s.kind, Lambda: s.lambda, Delta: s.delta, Gamma: s.gamma, C: s.chart.C, R: s.chart.R,
		S: s.s.at, X: s.x.all(), P: s.p.all(), D: s.d, Relaxed: s.relaxed.at, Spread: s.spread.at, LSE: s.lse.at, Loss: s.loss.at,
		RowW: s.rowW.at, RowV: s.rowV.at, ColW: s.colW.at, ColV: s.colV.at, Scale: s.weight / float64(max(n, 1))}
}
