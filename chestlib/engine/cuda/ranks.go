package cuda

import (
	"context"
	"errors"
	"fmt"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// Items are rows of a space with their labels.
type Items struct {
	X     []float32 // len(Label)×D, row-major
	Label []int
}

// RankOptions controls Ranks.
type RankOptions struct {
	D         int     // dimensions
	Ball      bool    // rows are points of the ball, compared by distance; else by cosine
	Curvature float64 // c of the ball, above 0
	Tile      int     // bytes of scores at a time; 0 means 512 MB
}

// Ranks returns, for each query, the rank of the nearest item of its label among
// all items: 1 is the best, 0 is that there is none. Recall@K is the share of ranks from 1 to K.
// A nil gallery is the queries themselves, each without itself. Of items with
// equal scores the first is the nearer.
//
// Nothing is sorted: the best item of the label is found, and what is scored
// higher is counted. Products are float32: where two scores differ by their
// rounding, a rank can be off by one from that of package metric. ctx is looked
// at between tiles.
//
// Cost: one product of all queries with all items, and two passes over the scores.
func (d *Device) Ranks(ctx context.Context, queries Items, gallery *Items, o RankOptions) ([]int, error) {
	if err := o.check(queries, "queries"); err != nil {
		return nil, err
	}
	self := gallery == nil
	if self {
		gallery = &queries
	} else if err := o.check(*gallery, "gallery"); err != nil {
		return nil, err
	}
	r := ranker{d: d, o: o, self: self, n: len(queries.Label), items: len(gallery.Label), memory: memory{d: d.set.Device}}
	if r.n == 0 || r.items == 0 {
		return make([]int, r.n), nil
	}
	err := d.set.Do(func() error {
		defer r.memory.freeAll()
		if b := d.set.BLAS(); b != nil && b.TF32 { // too coarse to rank by
			d.set.UseBLAS(nil)
			defer d.set.UseBLAS(b)
		}
		return r.run(ctx, queries, *gallery)
	})
	if err != nil {
		return nil, fmt.Errorf("cuda: Ranks of %d queries among %d items: %w", r.n, r.items, err)
	}
	return r.ranks, nil
}

// check finds sizes that do not fit and rows outside of the ball.
func (o RankOptions) check(x Items, name string) error {
	if o.D < 1 || len(x.X) != len(x.Label)*o.D {
		return fmt.Errorf("cuda: Ranks: %s have %d entries for %d labels, want %d×%d", name, len(x.X), len(x.Label), len(x.Label), o.D)
	}
	if o.Ball && !(o.Curvature > 0) {
		return fmt.Errorf("cuda: Ranks: Curvature is %g; want c above 0", o.Curvature)
	}
	return nil
}

// ranker is one call of Ranks.
type ranker struct {
	d        *Device
	o        RankOptions
	self     bool
	n, items int
	memory   memory
	x, y     side
	tile     piece
	best, at piece
	above    piece
	ranks    []int
}

// side is queries or items on the device.
type side struct {
	x, label, square, inverse piece
	p                         points
}

// load uploads rows: onto the sphere they go by the kernel, in the ball they
// are there.
func (r *ranker) load(s *side, x Items) error {
	set, n := r.d.set, len(x.Label)
	label := make([]int32, n)
	for i, l := range x.Label {
		if int(int32(l)) != l {
			return fmt.Errorf("label %d of row %d does not fit in 32 bits", l, i)
		}
		label[i] = int32(l)
	}
	if err := r.memory.fits(&s.x, 4*len(x.X), &s.label, 4*n); err != nil {
		return err
	}
	if err := errors.Join(set.UploadFloats(s.x.at, x.X), set.UploadInts(s.label.at, label)); err != nil {
		return err
	}
	if !r.o.Ball {
		if err := s.p.fit(&r.memory, n, r.o.D); err != nil {
			return err
		}
		return set.ChartRows(kernels.Chart{Sphere: true, R: infinite}, s.x.at, n, r.o.D, s.p.all())
	}
	square, inverse := make([]float32, n), make([]float32, n)
	for i := range n {
		var sum float64
		for _, v := range x.X[i*r.o.D : (i+1)*r.o.D] {
			sum += float64(v) * float64(v)
		}
		if !(r.o.Curvature*sum < 1) {
			return fmt.Errorf("row %d is not in the ball: c‖x‖² is %g", i, r.o.Curvature*sum)
		}
		square[i], inverse[i] = float32(sum), float32(1/(1-r.o.Curvature*sum))
	}
	if err := r.memory.fits(&s.square, 4*n, &s.inverse, 4*n); err != nil {
		return err
	}
	return errors.Join(set.UploadFloats(s.square.at, square), set.UploadFloats(s.inverse.at, inverse))
}

// rows are the points of a side.
func (r *ranker) rows(s *side) driver.Memory {
	if r.o.Ball {
		return s.x.at
	}
	return s.p.x.at
}

func (r *ranker) run(ctx context.Context, queries, gallery Items) error {
	if err := r.load(&r.x, queries); err != nil {
		return err
	}
	y := &r.x
	if !r.self {
		y = &r.y
		if err := r.load(y, gallery); err != nil {
			return err
		}
	}
	limit := r.o.Tile
	if limit <= 0 {
		limit = 512 << 20
	}
	high := min(max(limit/(4*r.items), 1), r.n)
	if err := r.memory.fits(&r.tile, 4*high*r.items, &r.best, 4*r.n, &r.at, 4*r.n, &r.above, 4*r.n); err != nil {
		return err
	}
	set := r.d.set
	none := make([]int32, r.n)
	for i := range none {
		none[i] = -1
	}
	if err := errors.Join(set.UploadInts(r.at.at, none), set.Clear(r.above.at, 4*r.n)); err != nil {
		return err
	}
	for from := 0; from < r.n; from += high {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped after %d: %w", from, err)
		}
		if err := r.count(y, from, min(high, r.n-from)); err != nil {
			return err
		}
		if err := set.Wait(); err != nil { // so that ctx is looked at in time
			return err
		}
	}
	at, above := make([]int32, r.n), make([]int32, r.n)
	if err := errors.Join(set.DownloadInts(at, r.at.at), set.DownloadInts(above, r.above.at), set.Finish()); err != nil {
		return err
	}
	r.ranks = make([]int, r.n)
	for i, a := range at {
		if a >= 0 {
			r.ranks[i] = int(above[i]) + 1
		}
	}
	return nil
}

// count queues the tile of the queries from on.
func (r *ranker) count(y *side, from, rows int) error {
	set, x := r.d.set, r.rows(&r.x).At(4*from*r.o.D)
	err := set.Gemm(kernels.Product{Form: kernels.NT, A: x, B: r.rows(y), C: r.tile.at, M: rows, N: r.items, K: r.o.D, Alpha: 1})
	if err != nil {
		return err
	}
	if r.o.Ball {
		if err := set.BallScores(r.tile.at, rows, r.items, r.x.square.at.At(4*from), y.square.at, y.inverse.at); err != nil {
			return err
		}
	}
	k := kernels.Ranks{S: r.tile.at, Rows: rows, Columns: r.items, Row0: from, LabelX: r.x.label.at, LabelY: y.label.at, Self: r.self, Best: r.best.at, At: r.at.at, Above: r.above.at}
	return errors.Join(set.RankBest(k), set.RankCount(k))
}
