package viz

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"

	xdraw "golang.org/x/image/draw"
)

const (
	largeFrom = 3000  // points of one series that are drawn in the fast way
	packFrom  = 20000 // points of a picture that travel packed
	opacity   = 0.75  // of points

	thumbMost = 500 // thumbnails on hover that travel with a picture
	thumbSide = 48  // their longer side in pixels
)

// cross is a diagonal cross as an outline: ECharts has no such symbol.
const cross = "path://M3,0L0,3L3,6L0,9L3,12L6,9L9,12L12,9L9,6L12,3L9,0L6,3Z"

// points is the series of one group. A row is [x, y] or [x, y, hover text]. On a
// ball the points can move.
func (s *swarm) points(g group, ball bool) scatterOption {
	o := scatterOption{
		Type: "scatter", Name: g.name, Symbol: symbols[g.mark], Size: s.diameter(), Z: 2,
		Style: itemOption{Color: hexOf(g.color), Opacity: opacity}, Emphasis: &focusOption{"series"},
		Tooltip: tooltipOption{Trigger: "item", Formatter: "{a}"}, Encode: encode{X: 0, Y: 1},
	}
	var own chestOption
	if ball {
		own.Move = "points"
	}
	if len(g.rows) > largeFrom {
		o.Large, o.Threshold = true, largeFrom
	}
	own.Thumbs = s.thumbsOf(g)
	if len(s.xy)/2 > packFrom {
		s.pack(g, ball, &o, &own)
	} else {
		s.unpacked(g, ball, &o)
	}
	if own.Move != "" || own.Packed != "" || own.Thumbs != nil {
		o.Chest = &own
	}
	return o
}

// unpacked writes the points as rows.
func (s *swarm) unpacked(g group, ball bool, o *scatterOption) {
	named := s.named()
	if named {
		name := 2
		o.Encode.Name, o.Tooltip.Formatter = &name, "{a}<br>{b}"
	}
	rows := make([][]any, len(g.rows))
	for k, i := range g.rows {
		at := [2]float64{digits6(s.xy[2*i]), digits6(s.xy[2*i+1])}
		if ball {
			at = fine(complex(s.xy[2*i], s.xy[2*i+1]))
		}
		rows[k] = []any{at[0], at[1]}
		if named {
			rows[k] = append(rows[k], s.hover(i))
		}
	}
	o.Data = rows
}

// named says whether points have more to say than their group.
func (s *swarm) named() bool { return s.names != nil || s.bySuper }

// pack writes the points as int16 pairs. Those of a ball are vectors at the
// centre: their distance from it is then as fine at the boundary as in the
// middle, within 0.0005.
func (s *swarm) pack(g group, ball bool, o *scatterOption, own *chestOption) {
	at := func(i int) complex128 {
		z := complex(s.xy[2*i], s.xy[2*i+1])
		if ball {
			return tangent(z)
		}
		return z - complex(s.lay.x, s.lay.y)
	}
	most := 1e-9
	for _, i := range g.rows {
		z := at(i)
		most = max(most, math.Abs(real(z)), math.Abs(imag(z)))
	}
	own.Unit, own.Ball = most/math.MaxInt16, ball
	b := make([]byte, 0, 4*len(g.rows))
	for _, i := range g.rows {
		z := at(i)
		for _, v := range []float64{real(z), imag(z)} {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(v/own.Unit))))
		}
		if s.named() {
			own.Names = append(own.Names, s.hover(i))
		}
	}
	own.Packed = base64.StdEncoding.EncodeToString(b)
	if !ball {
		own.X, own.Y = s.lay.x, s.lay.y
	}
	o.Dims, o.Data = []string{"x", "y"}, []int{}
}

// thumbsOf is the thumbnails of a group that travel: row → file.
func (s *swarm) thumbsOf(g group) map[int]string {
	if s.thumbs == nil {
		return nil
	}
	all, chosen := map[int]string{}, s.chosenThumbs()
	for row, i := range g.rows {
		if chosen[i] {
			all[row] = base64.StdEncoding.EncodeToString(thumbFile(s.thumbs[i], thumbSide))
		}
	}
	return all
}

// chosenThumbs says which points keep their image: all, or of too many an even
// choice that no order of classes can fool, by multiples of the golden ratio.
func (s *swarm) chosenThumbs() []bool {
	there := 0
	for _, m := range s.thumbs {
		if m != nil {
			there++
		}
	}
	chosen, k, left := make([]bool, len(s.thumbs)), 0, thumbMost
	for i, m := range s.thumbs {
		if m == nil {
			continue
		}
		_, part := math.Modf(float64(k) * (math.Sqrt(5) - 1) / 2)
		if k++; left > 0 && (there <= thumbMost || part < thumbMost/float64(there)) {
			chosen[i] = true
			left--
		}
	}
	return chosen
}

// thumbFile is an image with a longer side of at most side pixels, on white, as
// a JPEG file.
func thumbFile(m image.Image, side int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, thumbnail(m, side), &jpeg.Options{Quality: 80}); err != nil {
		return nil // a buffer takes all, and the size is small
	}
	return b.Bytes()
}

// thumbnail is m with its longer side shrunk to side pixels, on white. A
// smaller image keeps its size.
func thumbnail(m image.Image, side int) *image.RGBA {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	if long := max(w, h); long > side {
		w, h = max(w*side/long, 1), max(h*side/long, 1)
	}
	out := image.NewRGBA(image.Rect(0, 0, max(w, 1), max(h, 1)))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	xdraw.CatmullRom.Scale(out, out.Bounds(), m, m.Bounds(), draw.Over, nil)
	return out
}

// proxySeries are crosses in a darker shade of their class.
func (s *swarm) proxySeries(ball bool) scatterOption {
	o := scatterOption{
		Type: "scatter", Name: "proxies", Symbol: cross, Size: 11, Z: 3,
		Style:   itemOption{Color: hexOf(ink), Opacity: 1, BorderColor: "#ffffff", BorderWidth: 1},
		Tooltip: tooltipOption{Trigger: "item", Formatter: "proxy<br>{b}"}, Encode: encode{X: 0, Y: 1},
	}
	if ball {
		o.Chest = &chestOption{Move: "points"}
	}
	data := make([]markedPoint, len(s.proxies)/2)
	for i := range data {
		c, name := s.proxyLook(i)
		style := o.Style
		style.Color = hexOf(c)
		at := [2]float64{digits6(s.proxies[2*i]), digits6(s.proxies[2*i+1])}
		if ball {
			at = fine(complex(s.proxies[2*i], s.proxies[2*i+1]))
		}
		data[i] = markedPoint{at, name, style}
	}
	o.Data = data
	return o
}
