package vmath

// Axpy computes y[i] += a x[i].
func Axpy(y []float32, a float32, x []float32) {
	check("Axpy", len(y), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.axpy(len(x), &y[0], &x[0], a)
		return
	}
	for i, v := range x {
		y[i] += a * v
	}
}

// Scale computes dst[i] = a x[i].
func Scale(dst []float32, a float32, x []float32) {
	check("Scale", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.scale(len(x), &dst[0], &x[0], a)
		return
	}
	for i, v := range x {
		dst[i] = a * v
	}
}

// Affine computes dst[i] = a x[i] + b.
func Affine(dst []float32, a float32, x []float32, b float32) {
	check("Affine", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.affine(len(x), &dst[0], &x[0], a, b)
		return
	}
	for i, v := range x {
		dst[i] = a*v + b
	}
}

// Add computes dst[i] = x[i] + y[i].
func Add(dst, x, y []float32) {
	check("Add", len(dst), len(x), len(y))
	if t := vector(); t != nil && len(x) > 0 {
		t.add(len(x), &dst[0], &x[0], &y[0])
		return
	}
	for i, v := range x {
		dst[i] = v + y[i]
	}
}

// Mul computes dst[i] = x[i] y[i].
func Mul(dst, x, y []float32) {
	check("Mul", len(dst), len(x), len(y))
	if t := vector(); t != nil && len(x) > 0 {
		t.mul(len(x), &dst[0], &x[0], &y[0])
		return
	}
	for i, v := range x {
		dst[i] = v * y[i]
	}
}

// Relu computes dst[i] = max(x[i], 0).
func Relu(dst, x []float32) {
	check("Relu", len(dst), len(x))
	if t := vector(); t != nil && len(x) > 0 {
		t.relu(len(x), &dst[0], &x[0])
		return
	}
	for i, v := range x {
		dst[i] = max(v, 0)
	}
}

// ReluGrad computes dst[i] = g[i] where x[i] > 0, 0 elsewhere.
func ReluGrad(dst, x, g []float32) {
	check("ReluGrad", len(dst), len(x), len(g))
	if t := vector(); t != nil && len(x) > 0 {
		t.reluGrad(len(x), &dst[0], &x[0], &g[0])
		return
	}
	for i, v := range x {
		if v > 0 {
			dst[i] = g[i]
		} else {
			dst[i] = 0
		}
	}
}

// Combine64 computes dst[i] += a x[i] + b y[i] in float64, for sums that cancel.
func Combine64(dst []float32, a float64, x []float32, b float64, y []float32) {
	check("Combine64", len(dst), len(x), len(y))
	if t := vector(); t != nil && len(x) > 0 {
		t.combine64(len(x), &dst[0], a, &x[0], b, &y[0])
		return
	}
	for i, v := range x {
		dst[i] = float32(float64(dst[i]) + a*float64(v) + b*float64(y[i]))
	}
}
