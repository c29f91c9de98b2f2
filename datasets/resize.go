package datasets

import (
	"image"
	"image/color"
	"math"
)

// ink is a picture as darkness in [0, 1], row-major: black on white becomes 1
// on 0.
func ink(m image.Image) []float64 {
	b := m.Bounds()
	x := make([]float64, 0, b.Dx()*b.Dy())
	g, fast := m.(*image.Gray)
	for j := b.Min.Y; j < b.Max.Y; j++ {
		for i := b.Min.X; i < b.Max.X; i++ {
			var v uint8
			if fast {
				v = g.Pix[g.PixOffset(i, j)]
			} else {
				v = color.GrayModel.Convert(m.At(i, j)).(color.Gray).Y
			}
			x = append(x, 1-float64(v)/255)
		}
	}
	return x
}

// shrink scales the side×side picture x to size×size bytes, 1 to 255. Each new
// pixel is the mean over the area it covers, old pixels by the share covered;
// so the mean of the picture stays, also when it grows.
func shrink(x []float64, side, size int) []uint8 {
	w := shares(side, size)
	rows := make([]float64, size*side) // scaled down the columns
	for i, row := range w {
		for _, s := range row {
			for j := range side {
				rows[i*side+j] += s.weight * x[s.from*side+j]
			}
		}
	}
	pix := make([]uint8, size*size)
	for i := range size {
		for j, column := range w {
			v := 0.0
			for _, s := range column {
				v += s.weight * rows[i*side+s.from]
			}
			pix[i*size+j] = uint8(math.Round(255 * min(v, 1)))
		}
	}
	return pix
}

// share is how much of a new pixel an old one gives.
type share struct {
	from   int
	weight float64
}

// shares is, for each of size new pixels in a row, the old ones below it; the
// weights of each add up to 1.
func shares(side, size int) [][]share {
	w := make([][]share, size)
	step := float64(side) / float64(size)
	for i := range w {
		lo, hi := float64(i)*step, float64(i+1)*step
		for k := int(lo); k < side && float64(k) < hi; k++ {
			covered := min(hi, float64(k+1)) - max(lo, float64(k))
			if covered > 1e-9 {
				w[i] = append(w[i], share{k, covered / step})
			}
		}
	}
	return w
}
