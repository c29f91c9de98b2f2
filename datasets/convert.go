package datasets

import (
	"image"
	"image/color"

	"github.com/chestlab/chest/datasets/transform"
)

// toRGB is a decoded picture as RGB on a screen of w×h, black beside it; only
// frames of a GIF are smaller than their screen. video says that YCbCr has the
// range of video, as in WebP, and not of JPEG.
func toRGB(m image.Image, w, h int, video bool) transform.RGB {
	out := transform.NewRGB(w, h)
	b := m.Bounds()
	part := out.Crop(b.Min.X, b.Min.Y, b.Dx(), b.Dy())
	switch m := m.(type) {
	case *image.YCbCr:
		fromYCbCr(part, m, video)
	case *image.NYCbCrA:
		fromYCbCr(part, &m.YCbCr, video)
	case *image.Gray:
		takeBytes(part, m.Pix, m.Stride, 1, 0, 0, 0)
	case *image.Gray16:
		takeBytes(part, m.Pix, m.Stride, 2, 0, 0, 0)
	case *image.RGBA:
		takeBytes(part, m.Pix, m.Stride, 4, 0, 1, 2)
	case *image.NRGBA:
		takeBytes(part, m.Pix, m.Stride, 4, 0, 1, 2)
	case *image.RGBA64:
		takeBytes(part, m.Pix, m.Stride, 8, 0, 2, 4)
	case *image.NRGBA64:
		takeBytes(part, m.Pix, m.Stride, 8, 0, 2, 4)
	case *image.Paletted:
		fromPalette(part, m)
	case *image.CMYK:
		fromCMYK(part, m)
	default:
		fromAny(part, m)
	}
	return out
}

// takeBytes copies three bytes of each group of step bytes.
func takeBytes(out transform.RGB, pix []uint8, stride, step, r, g, b int) {
	for y := range out.H {
		from := pix[y*stride:]
		to := out.Row(y)
		for x := range out.W {
			p := from[x*step:][:step]
			d := to[3*x:][:3]
			d[0], d[1], d[2] = p[r], p[g], p[b]
		}
	}
}

// fromPalette looks colours up; an index beyond the palette is black.
func fromPalette(out transform.RGB, m *image.Paletted) {
	var table [256][3]uint8
	for i, c := range m.Palette[:min(len(m.Palette), 256)] {
		switch c := c.(type) {
		case color.NRGBA: // with its colour, also where it is transparent
			table[i] = [3]uint8{c.R, c.G, c.B}
		default:
			v := color.NRGBAModel.Convert(c).(color.NRGBA)
			table[i] = [3]uint8{v.R, v.G, v.B}
		}
	}
	for y := range out.H {
		from, to := m.Pix[y*m.Stride:], out.Row(y)
		for x := range out.W {
			copy(to[3*x:3*x+3], table[from[x]][:])
		}
	}
}

// fromCMYK is (255-C)(255-K)/255, rounded, and so on.
func fromCMYK(out transform.RGB, m *image.CMYK) {
	for y := range out.H {
		from, to := m.Pix[y*m.Stride:], out.Row(y)
		for x := range out.W {
			p := from[4*x:][:4]
			for c := range 3 {
				to[3*x+c] = uint8(((255-uint32(p[c]))*(255-uint32(p[3])) + 127) / 255)
			}
		}
	}
}

// fromAny asks for every pixel.
func fromAny(out transform.RGB, m image.Image) {
	b := m.Bounds()
	for y := range out.H {
		to := out.Row(y)
		for x := range out.W {
			v := color.NRGBAModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			to[3*x], to[3*x+1], to[3*x+2] = v.R, v.G, v.B
		}
	}
}
