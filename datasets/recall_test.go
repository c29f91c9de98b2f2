package datasets

import "math"

// rawRecall is recall at 1 of the pixels themselves: cosine after subtracting
// the mean item.
func rawRecall(s *Set) float64 { return recall(s.Floats(), s.size(), s.Labels) }

// recall is recall at 1 by the cosine of the rows of x, n×d, around their mean.
func recall(x []float32, d int, label []int) float64 {
	n := len(label)
	mean := make([]float64, d)
	for i, v := range x {
		mean[i%d] += float64(v) / float64(n)
	}
	unit := make([]float32, len(x))
	for i := range n {
		sum := 0.0
		for j := range d {
			v := float64(x[i*d+j]) - mean[j]
			unit[i*d+j] = float32(v)
			sum += v * v
		}
		for j := range d {
			unit[i*d+j] /= float32(math.Sqrt(sum))
		}
	}
	hits := 0
	for i := range n {
		best, at := float32(math.Inf(-1)), -1
		for k := range n {
			if k == i {
				continue
			}
			dot := float32(0)
			for j := range d {
				dot += unit[i*d+j] * unit[k*d+j]
			}
			if dot > best {
				best, at = dot, k
			}
		}
		if label[at] == label[i] {
			hits++
		}
	}
	return float64(hits) / float64(n)
}
