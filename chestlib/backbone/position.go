package backbone

import "math"

// resample brings the positions of a grid of h×w patches, each of d numbers, to one
// of toH×toW, by cubic convolution with a = -3/4: as DeiT does and timm before
// its version 0.8, PyTorch's interpolate(mode="bicubic", align_corners=False,
// antialias=False). Pixel centres lie at (i+½); beyond the edge its last value
// stands.
//
// Later versions of timm set antialias, which is another filter (a = -1/2, wider
// when the grid shrinks), and DINO scales by (toH+0.1)/h, which shifts each
// sample by less than 1 % of a patch: both give other positions, by little, and
// only for images of another size than the weights were trained on.
//
// Source: R. Keys, "Cubic Convolution Interpolation for Digital Image
// Processing" (1981).
func resample(x []float32, h, w, toH, toW, d int) []float32 {
	down, across := cubic(h, toH), cubic(w, toW)
	y := make([]float32, toH*toW*d)
	sum := make([]float64, d)
	for i, row := range down {
		for j, column := range across {
			clear(sum)
			for _, r := range row {
				for _, c := range column {
					weight := r.weight * c.weight
					for k, v := range x[(r.at*w+c.at)*d:][:d] {
						sum[k] += weight * float64(v)
					}
				}
			}
			for k, v := range sum {
				y[(i*toW+j)*d+k] = float32(v)
			}
		}
	}
	return y
}

// tap is an old place and its share in a new one.
type tap struct {
	at     int
	weight float64
}

// cubic are the four taps of each of m new places among n old ones.
func cubic(n, m int) [][4]tap {
	taps := make([][4]tap, m)
	for i := range taps {
		at := (float64(i)+0.5)*float64(n)/float64(m) - 0.5
		first := math.Floor(at)
		for k := range 4 {
			place := first + float64(k) - 1
			taps[i][k] = tap{int(min(max(place, 0), float64(n-1))), keys(at - place)}
		}
	}
	return taps
}

// keys is the kernel of cubic convolution with a = -3/4.
func keys(t float64) float64 {
	const a = -0.75
	t = math.Abs(t)
	switch {
	case t <= 1:
		return ((a+2)*t-(a+3))*t*t + 1
	case t < 2:
		return ((a*t-5*a)*t+8*a)*t - 4*a
	}
	return 0
}
