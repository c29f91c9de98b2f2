package transform

import (
	"fmt"
	"math"
)

// Normalise turns bytes into the float32 that a model takes, channel by channel:
//
//	(byte/Scale - Mean) / Std
//
// The zero value divides by 255 alone.
type Normalise struct {
	Mean  [3]float32 // of the channels as they are written: red, green, blue, or with BGR blue, green, red
	Std   [3]float32 // of the same; 0 means 1
	Scale float32    // 0 means 255
	BGR   bool       // write blue, green, red
}

// The normalisations of published weights.
var (
	// ImageNet is that of DeiT, DINO and ResNet: mean and deviation of ImageNet's
	// pixels.
	ImageNet = Normalise{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}

	// Half is that of ViT trained on ImageNet-21k: bytes to [-1, 1].
	Half = Normalise{Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.5, 0.5, 0.5}}

	// BNInception is that of BN-Inception from Caffe: blue, green, red in 0..255,
	// less the mean.
	BNInception = Normalise{Mean: [3]float32{104, 117, 128}, Scale: 1, BGR: true}
)

// Write writes m into dst, 3×H×W: channel, row, column. It panics if dst has
// another length.
func (n Normalise) Write(dst []float32, m RGB) {
	plane := m.W * m.H
	if len(dst) != 3*plane {
		panic(fmt.Sprintf("transform: Normalise: dst has length %d, want 3×%d×%d = %d", len(dst), m.H, m.W, 3*plane))
	}
	tables := [3]*[256]float32{n.table(0), n.table(1), n.table(2)}
	first, last := 0, 2
	if n.BGR {
		first, last = 2, 0
	}
	for y := range m.H {
		row := m.Row(y)
		a, b, c := dst[y*m.W:][:m.W], dst[plane+y*m.W:][:m.W], dst[2*plane+y*m.W:][:m.W]
		for x := range a {
			p := row[3*x:][:3]
			a[x], b[x], c[x] = tables[0][p[first]], tables[1][p[1]], tables[2][p[last]]
		}
	}
}

// table is the number of each byte in channel c.
func (n Normalise) table(c int) *[256]float32 {
	scale, std := n.Scale, n.Std[c]
	if scale == 0 {
		scale = 255
	}
	if std == 0 {
		std = 1
	}
	var t [256]float32
	for v := range t {
		x := float32(v) / scale
		x -= n.Mean[c]
		t[v] = x / std
	}
	return &t
}

// Check says what makes no sense.
func (n Normalise) Check() error {
	if !(n.Scale >= 0) || math.IsInf(float64(n.Scale), 0) {
		return fmt.Errorf("transform: Normalise: Scale %g: want a positive number, or 0 for 255", n.Scale)
	}
	for c := range 3 {
		m, s := float64(n.Mean[c]), float64(n.Std[c])
		if math.IsNaN(m) || math.IsInf(m, 0) || !(s >= 0) || math.IsInf(s, 0) {
			return fmt.Errorf("transform: Normalise: channel %d: mean %g, deviation %g: want finite numbers, the second not negative", c, m, s)
		}
	}
	return nil
}
