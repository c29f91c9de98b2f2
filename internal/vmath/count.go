package vmath

// CountAbove counts the entries of x that reach a limit of their own, and those
// that reach a second one:
//
//	for j := range x {
//		z := x[j] - p*v[j]
//		if z >= low[j]+tLow   { above++ }
//		if z >= high[j]+tHigh { surely++ }
//	}
//
// NaN reaches nothing.
func CountAbove(x, v []float32, p float32, low, high []float32, tLow, tHigh float32) (above, surely int) {
	check("CountAbove", len(x), len(v), len(low), len(high))
	if t := vector(); t != nil && len(x) > 0 {
		return t.countAbove(len(x), &x[0], &v[0], p, &low[0], &high[0], tLow, tHigh)
	}
	for j, z := range x {
		z -= p * v[j]
		if z >= low[j]+tLow {
			above++
		}
		if z >= high[j]+tHigh {
			surely++
		}
	}
	return above, surely
}
