package kernels

import "github.com/chestlab/chest/chestlib/engine/cuda/driver"

// Fill writes value to the first n floats of x.
func (s *Set) Fill(x driver.Memory, n int, value float32) error {
	return s.launch("fill", line(blocks(n, 256)), 256, x, int64(n), value)
}

// SelectInts copies row now, of n, of src.
func (s *Set) SelectInts(dst, src, now driver.Memory, n int) error {
	return s.launch("select_ints", line(blocks(n, 256)), 256, dst, src, now, n)
}

// Advance adds 1 to the integer now.
func (s *Set) Advance(now driver.Memory) error { return s.launch("advance", line(1), 32, now) }

// SumArrays writes the sums of count arrays of float64 to out. The table has an
// address and a length for each, 16 bytes. With a history they are also written
// to its row now.
func (s *Set) SumArrays(out, table driver.Memory, count int, history, now driver.Memory) error {
	return s.launch("sum_arrays", line(count), 256, table, out, history, now)
}

// MostBlocks is how many parts Squares and NotFinite write at most.
const MostBlocks = 512

// Squares writes parts of Σ x² of n floats to out, float64, and returns how many.
func (s *Set) Squares(out, x driver.Memory, n int) (parts int, err error) {
	parts = min(blocks(n, 256), MostBlocks)
	return parts, s.launch("squares", line(parts), 256, x, int64(n), out)
}

// NotFinite writes counts of NaN and infinite entries of n floats to out,
// float64, and returns how many.
func (s *Set) NotFinite(out, x driver.Memory, n int) (parts int, err error) {
	parts = min(blocks(n, 256), MostBlocks)
	return parts, s.launch("not_finite", line(parts), 256, x, int64(n), out)
}

// SumSplits adds splits arrays of n floats.
func (s *Set) SumSplits(dst, parts driver.Memory, splits, n int) error {
	return s.launch("sum_splits", line(blocks(n, 256)), 256, dst, parts, splits, int64(n))
}

// Adam is the tensors of AdamW. Tensors has five words each: the addresses of
// weights, gradient, m and v, and the length. Numbers has eight floats for each
// tensor of each step: scale, limit, β₁, β₂, keep, step, root, ε; see vmath.Adam.
type Adam struct {
	Tensors, Numbers driver.Memory
	Now              driver.Memory // the step, an integer; none is 0
	Count            int
	Blocks           int           // AdamBlocks of the lengths of all tensors, summed
	Norms            driver.Memory // float64: squared norms of gradients; none: no clipping
	Parts            int           // of Norms
	Most             float64       // norm to clip to
}

// AdamBlocks is how many blocks move a tensor of n entries.
func AdamBlocks(n int) int { return blocks(n, 1024) }

// AdamW moves all tensors.
func (s *Set) AdamW(a Adam) error {
	return s.launch("adamw", line(a.Blocks), 256, a.Tensors, a.Numbers, a.Now, a.Count, a.Norms, a.Parts, a.Most)
}

// BallScores turns dot products of rows with columns into scores that fall with
// the distance in the ball.
func (s *Set) BallScores(x driver.Memory, rows, columns int, squareX, squareY, inverseY driver.Memory) error {
	return s.launch("ball_scores", line(blocks(rows*columns, 256)), 256, x, rows, columns, squareX, squareY, inverseY)
}

// Ranks is a tile of scores: queries Row0… Row0+Rows by items Column0… .
type Ranks struct {
	S             driver.Memory
	Rows, Columns int
	Row0, Column0 int
	LabelX        driver.Memory // of all queries
	LabelY        driver.Memory // of all items
	Self          bool          // query i is item i
	Best          driver.Memory // of all queries
	At            driver.Memory // int
	Above         driver.Memory // int
}

// RankBest goes on looking for the best item of each query's label. Tiles of
// one query come in the order of items.
func (s *Set) RankBest(r Ranks) error {
	return s.launch("rank_best", line(r.Rows), 256, r.S, r.Columns, r.Row0, r.Column0, r.LabelX, r.LabelY, flag(r.Self), r.Best, r.At)
}

// RankCount goes on counting what is ranked before it.
func (s *Set) RankCount(r Ranks) error {
	return s.launch("rank_count", line(r.Rows), 256, r.S, r.Columns, r.Row0, r.Column0, flag(r.Self), r.Best, r.At, r.Above)
}
