package model

import "math"

// The twins: each layer's formula in plain loops over float64.

func linearTwin(in, out int) func(x []float64, n int, p [][]float64) []float64 {
	return func(x []float64, n int, p [][]float64) []float64 {
		y := make([]float64, n*out)
		for i := range n {
			for o := range out {
				y[i*out+o] = p[1][o]
				for j := range in {
					y[i*out+o] += p[0][o*in+j] * x[i*in+j]
				}
			}
		}
		return y
	}
}

func geluTwin(x []float64, _ int, _ [][]float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v * 0.5 * (1 + math.Erf(v/math.Sqrt2))
	}
	return y
}

// normTwin is GroupNorm with a gain by channel, and with one group on vectors
// LayerNorm.
func normTwin(s Shape, groups int) func(x []float64, n int, p [][]float64) []float64 {
	return func(x []float64, n int, p [][]float64) []float64 {
		y := make([]float64, len(x))
		pixels := s.H * s.W
		size := s.Size() / groups
		for at := 0; at < n*s.Size(); at += size {
			var mean, variance float64
			for _, v := range x[at : at+size] {
				mean += v / float64(size)
			}
			for _, v := range x[at : at+size] {
				variance += (v - mean) * (v - mean) / float64(size)
			}
			for j := at; j < at+size; j++ {
				c := j / pixels % s.C
				y[j] = p[0][c]*(x[j]-mean)/math.Sqrt(variance+1e-5) + p[1][c]
			}
		}
		return y
	}
}

func convTwin(s Shape, out, stride int) func(x []float64, n int, p [][]float64) []float64 {
	return func(x []float64, n int, p [][]float64) []float64 {
		var y []float64
		for i := range n {
			for o := range out {
				for r := 0; r < s.H; r += stride {
					for q := 0; q < s.W; q += stride {
						y = append(y, p[1][o]+window(x[i*s.Size():], s, p[0][o*s.C*9:], r, q))
					}
				}
			}
		}
		return y
	}
}

// window is the sum of one 3×3 window around (r, q), zero outside the image.
func window(x []float64, s Shape, w []float64, r, q int) (sum float64) {
	for c := range s.C {
		for k := -1; k <= 1; k++ {
			for l := -1; l <= 1; l++ {
				if r+k >= 0 && r+k < s.H && q+l >= 0 && q+l < s.W {
					sum += w[c*9+(k+1)*3+l+1] * x[(c*s.H+r+k)*s.W+q+l]
				}
			}
		}
	}
	return sum
}

func maxPoolTwin(s Shape) func(x []float64, n int, p [][]float64) []float64 {
	return func(x []float64, n int, _ [][]float64) []float64 {
		var y []float64
		for plane := range n * s.C {
			for r := 0; r < s.H; r += 2 {
				for q := 0; q < s.W; q += 2 {
					best := math.Inf(-1)
					for k := r; k < min(r+2, s.H); k++ {
						for l := q; l < min(q+2, s.W); l++ {
							best = max(best, x[(plane*s.H+k)*s.W+l])
						}
					}
					y = append(y, best)
				}
			}
		}
		return y
	}
}

func averageTwin(s Shape) func(x []float64, n int, p [][]float64) []float64 {
	return func(x []float64, n int, _ [][]float64) []float64 {
		y := make([]float64, n*s.C)
		for j, v := range x {
			y[j/(s.H*s.W)] += v / float64(s.H*s.W)
		}
		return y
	}
}

// residualTwin is the residual block of the cases: 4 → 6 → 4.
func residualTwin(x []float64, n int, p [][]float64) []float64 {
	y := linearTwin(4, 6)(x, n, p[:2])
	y = linearTwin(6, 4)(geluTwin(y, n, nil), n, p[2:])
	for i, v := range x {
		y[i] += v
	}
	return y
}

// modelTwin is a whole model; p are its params in order.
func modelTwin(m *Model, x []float64, n int, p [][]float64) (uE, uH []float64) {
	o := m.o
	fE, s, p := trunkTwin(m, x, n, p)
	fH := fE
	if o.Separate {
		fH, _, p = trunkTwin(m, x, n, p)
	}
	return linearTwin(s.Size(), o.DE)(fE, n, p), linearTwin(s.Size(), o.DH)(fH, n, p[2:])
}

// trunkTwin is one trunk; it returns the features, their shape and the params
// that are left.
func trunkTwin(m *Model, x []float64, n int, p [][]float64) ([]float64, Shape, [][]float64) {
	s, o := m.in, m.o
	switch o.Trunk {
	case "linear":
		x, s, p = linearTwin(s.Size(), o.Width)(x, n, p), Shape{o.Width, 1, 1}, p[2:]
	case "mlp":
		v := Shape{o.Width, 1, 1}
		x, p = linearTwin(s.Size(), o.Width)(x, n, p), p[2:]
		for range o.Depth {
			y := normTwin(v, 1)(x, n, p)
			y = geluTwin(linearTwin(o.Width, o.Width)(y, n, p[2:]), n, nil)
			y = linearTwin(o.Width, o.Width)(y, n, p[4:])
			for i := range y {
				y[i] += x[i]
			}
			x, p = y, p[6:]
		}
		x, s, p = normTwin(v, 1)(x, n, p), v, p[2:]
	case "conv":
		for b := range o.Depth {
			c := o.Width * (1 << (b / 2))
			x = convTwin(s, c, 1)(x, n, p)
			s.C = c
			x = geluTwin(normTwin(s, map[int]int{6: 2, 12: 4}[c])(x, n, p[2:]), n, nil)
			x = maxPoolTwin(s)(x, n, nil)
			s.H, s.W, p = (s.H+1)/2, (s.W+1)/2, p[4:]
		}
		x, s = averageTwin(s)(x, n, nil), Shape{s.C, 1, 1}
		x, p = normTwin(s, 1)(x, n, p), p[2:]
	}
	return x, s, p
}

// batchNormTwin is BatchNorm in training; p are gain and bias.
func batchNormTwin(s Shape) func(x []float64, n int, p [][]float64) []float64 {
	return func(x []float64, n int, p [][]float64) []float64 {
		y, pixels := make([]float64, len(x)), s.H*s.W
		for c := range s.C {
			var mean, variance float64
			for i := range n {
				for _, v := range x[(i*s.C+c)*pixels:][:pixels] {
					mean += v / float64(n*pixels)
				}
			}
			for i := range n {
				for _, v := range x[(i*s.C+c)*pixels:][:pixels] {
					variance += (v - mean) * (v - mean) / float64(n*pixels)
				}
			}
			for i := range n {
				for j := (i*s.C + c) * pixels; j < (i*s.C+c+1)*pixels; j++ {
					y[j] = p[0][c]*(x[j]-mean)/math.Sqrt(variance+1e-5) + p[1][c]
				}
			}
		}
		return y
	}
}

func reluTwin(x []float64, _ int, _ [][]float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = max(v, 0)
	}
	return y
}

// attentionTwin is Attention, entry by entry; p are weights and biases of qkv
// and out.
func attentionTwin(tokens, d, heads int) func(x []float64, n int, p [][]float64) []float64 {
	return func(x []float64, n int, p [][]float64) []float64 {
		width := d / heads
		qkv := linearTwin(d, 3*d)(x, n*tokens, p[:2])
		o := make([]float64, len(x))
		for i := range n {
			for h := range heads {
				at := func(t, which, k int) float64 { return qkv[(i*tokens+t)*3*d+which*d+h*width+k] }
				for t := range tokens {
					e, sum := make([]float64, tokens), 0.0
					for u := range tokens {
						var s float64
						for k := range width {
							s += at(t, 0, k) * at(u, 1, k)
						}
						e[u] = math.Exp(s / math.Sqrt(float64(width)))
						sum += e[u]
					}
					for u := range tokens {
						for k := range width {
							o[(i*tokens+t)*d+h*width+k] += e[u] / sum * at(u, 2, k)
						}
					}
				}
			}
		}
		return linearTwin(d, d)(o, n*tokens, p[2:])
	}
}

// patchTwin is PatchEmbed; p are weight, bias, class and position.
func patchTwin(s Shape, size, d int) func(x []float64, n int, p [][]float64) []float64 {
	return func(x []float64, n int, p [][]float64) []float64 {
		var y []float64
		for i := range n {
			y = append(y, p[2]...)
			for r := 0; r < s.H; r += size {
				for q := 0; q < s.W; q += size {
					for o := range d {
						v := p[1][o]
						for c := range s.C {
							for k := range size {
								for l := range size {
									v += p[0][((o*s.C+c)*size+k)*size+l] * x[((i*s.C+c)*s.H+r+k)*s.W+q+l]
								}
							}
						}
						y = append(y, v)
					}
				}
			}
			item := y[len(y)-len(p[3]):]
			for j, v := range p[3] {
				item[j] += v
			}
		}
		return y
	}
}
