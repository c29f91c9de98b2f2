package kernels

import "github.com/chestlab/chest/chestlib/engine/cuda/driver"

// Chart is the map of rows to points: onto the sphere, or into the ball of
// curvature -C with clip radius R, +Inf for none.
type Chart struct {
	Sphere bool
	C, R   float64
	Round  bool // the points are rounded to TF32
}

// Points is where ChartRows writes: X, Alpha and Beta always, the others unless
// they are none. Alpha, Beta and Clipped are float64.
type Points struct {
	X, Alpha, Beta                 driver.Memory
	Square, Room, Inverse, Clipped driver.Memory
}

// ChartRows maps the n rows u of d.
func (s *Set) ChartRows(c Chart, u driver.Memory, n, d int, p Points) error {
	return s.launch("chart_rows", line(blocks(n, 4)), 128, u, n, d, flag(c.Sphere), c.C, c.R, flag(c.Round), p.X, p.Alpha, p.Beta, p.Square, p.Room, p.Inverse, p.Clipped)
}

// Finish is the gradient by n rows of d, from that by their points.
type Finish struct {
	Dst         driver.Memory
	Add         bool
	U, X        driver.Memory
	G           driver.Memory // Splits parts, the first of which is overwritten
	Splits      int
	N, D        int
	Alpha, Beta driver.Memory
	W, V        driver.Memory // Parts of n each
	Parts       int
	Room        driver.Memory
	C           float64
	Coef, Diag  driver.Memory // n×K, none without a merging term
	K           int
	Norm        driver.Memory // n float64; may be none
}

// FinishRows queues it.
func (s *Set) FinishRows(f Finish) error {
	return s.launch("finish_rows", line(blocks(f.N, 4)), 128, f.Dst, flag(f.Add), f.U, f.X, f.G, f.Splits, f.N, f.D, f.Alpha, f.Beta,
		f.W, f.V, f.Parts, f.Room, f.C, f.Coef, f.Diag, max(f.K, 1), f.Norm)
}

// GatherRows copies rows of d of src to the n rows of dst, as index says from
// entry now·n on; none as now is 0.
func (s *Set) GatherRows(dst, src, index, now driver.Memory, n, d int) error {
	return s.launch("gather_rows", line(blocks(n, 4)), 128, dst, src, index, now, n, d)
}

// GatherInts does so for single integers.
func (s *Set) GatherInts(dst, src, index, now driver.Memory, n int) error {
	return s.launch("gather_ints", line(blocks(n, 256)), 256, dst, src, index, now, n)
}

// AddBias adds b to the n rows x of d.
func (s *Set) AddBias(x, b driver.Memory, n, d int) error {
	return s.launch("add_bias", line(blocks(n*d, 256)), 256, x, b, int64(n), d)
}

// ColumnSums sums the n rows x of d.
func (s *Set) ColumnSums(out, x driver.Memory, n, d int) error {
	return s.launch("column_sums", line(blocks(d, 32)), 512, x, n, d, out)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
