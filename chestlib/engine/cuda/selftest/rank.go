package selftest

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

func rankCases() (all []Case) {
	for _, self := range []bool{true, false} {
		for _, s := range [][4]int{{1, 1, 1, 1}, {33, 33, 10, 17}, {40, 40, 40, 257}, {20, 300, 7, 280}} {
			queries, items := s[0], s[1]
			if self && queries != items {
				continue
			}
			all = append(all, Case{
				Name: fmt.Sprintf("ranks of %d queries by %d items, tiles of %d×%d, self %v", queries, items, s[2], s[3], self),
				run:  func(b *bed) { ranks(b, queries, items, s[2], s[3], self) },
			})
		}
	}
	return append(all, Case{Name: "scores in the ball", Quick: true, run: ballScores})
}

// ranks counts what is before the best item of each query's label, tile by tile.
// Scores are few numbers, so that many are equal.
func ranks(b *bed, queries, items, rows, columns int, self bool) {
	scores := make([]float32, queries*items)
	for i := range scores {
		scores[i] = float32(b.rng.IntN(9)) - 4
	}
	x, y := make([]int32, queries), make([]int32, items)
	for i := range x {
		x[i] = int32(b.rng.IntN(5))
	}
	for j := range y {
		y[j] = int32(b.rng.IntN(5))
		if self {
			y[j] = x[j]
		}
	}
	at, above := make([]int32, queries), make([]int32, queries)
	for i := range at {
		at[i] = -1
	}
	dAt, dAbove, best := b.ints(at), b.ints(above), b.room(4*queries)
	lx, ly, tile := b.ints(x), b.ints(y), b.room(4*rows*columns)
	if b.err != nil {
		return
	}
	for _, count := range []bool{false, true} {
		for i0 := 0; i0 < queries; i0 += rows {
			for j0 := 0; j0 < items; j0 += columns {
				r := kernels.Ranks{S: tile, Rows: min(rows, queries-i0), Columns: min(columns, items-j0), Row0: i0, Column0: j0,
					LabelX: lx, LabelY: ly, Self: self, Best: best, At: dAt, Above: dAbove}
				var part []float32
				for i := range r.Rows {
					part = append(part, scores[(i0+i)*items+j0:][:r.Columns]...)
				}
				b.do(b.s.UploadFloats(tile, part))
				if count {
					b.do(b.s.RankCount(r))
				} else {
					b.do(b.s.RankBest(r))
				}
			}
		}
	}
	gotAt, gotAbove := b.getInts(dAt, queries), b.getInts(dAbove, queries)
	for i := range queries {
		at[i] = -1
		for j := range items {
			if y[j] == x[i] && !(self && i == j) && (at[i] < 0 || scores[i*items+j] > scores[i*items+int(at[i])]) {
				at[i] = int32(j)
			}
		}
		if at[i] < 0 {
			gotAbove[i] = 0 // of no meaning
			continue
		}
		for j := range items {
			v, top := scores[i*items+j], scores[i*items+int(at[i])]
			if !(self && i == j) && (v > top || v == top && j < int(at[i])) {
				above[i]++
			}
		}
	}
	b.same("best item", gotAt, at)
	b.same("items above", gotAbove, above)
}

func ballScores(b *bed) {
	const rows, columns, d, c = 7, 39, 5, 0.1
	x, y := b.inBall(rows, d, c), b.inBall(columns, d, c)
	X, _ := b.given(x, d, c)
	Y, room := b.given(y, d, c)
	dots, want := make([]float64, rows*columns), make([]float64, rows*columns)
	for i := range rows {
		for j := range columns {
			dots[i*columns+j] = dot(x[i*d:(i+1)*d], y[j*d:(j+1)*d])
			want[i*columns+j] = -squared(x[i*d:(i+1)*d], y[j*d:(j+1)*d]) / room[j]
		}
	}
	s := b.floats(narrowed(dots))
	if b.err != nil {
		return
	}
	b.do(b.s.BallScores(s, rows, columns, X.Square, Y.Square, Y.Inverse))
	b.near("scores", b.getFloats(s, rows*columns), want, 1e-6)
}
