package viz

import (
	"image"
	"image/draw"

	"gonum.org/v1/plot/vg"
)

// DrawImage draws m into r. gonum turns its PDF page upside down to count from
// below, and an image with it, so the image is turned before.
func (c page) DrawImage(r vg.Rectangle, m image.Image) {
	c.CanvasWriterTo.DrawImage(r, upsideDown(m))
}

// upsideDown is m with its last row first.
func upsideDown(m image.Image) image.Image {
	b := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		row := image.Rect(0, b.Dy()-1-y, b.Dx(), b.Dy()-y)
		draw.Draw(out, row, m, image.Pt(b.Min.X, b.Min.Y+y), draw.Src)
	}
	return out
}
