package datasets

import (
	"image"

	"github.com/chestlab/chest/datasets/transform"
)

// chroma is the matrix from YCbCr to RGB in 16 binary places:
//
//	R = Y + r·Cr, G = Y - g·Cr - h·Cb, B = Y + b·Cb
type chroma struct {
	y, crR, crG, cbG, cbB [256]int32
}

// The two ranges of ITU-R BT.601: JPEG's takes all of 0..255 for luma, that of
// video, which WebP has, 16..235.
var (
	jpegChroma  = newChroma(0, 65536, 91881, 46802, 22554, 116130)
	videoChroma = newChroma(16, 76309, 104597, 53279, 25675, 132201)
)

func newChroma(black, y, crR, crG, cbG, cbB int32) *chroma {
	c := &chroma{}
	for i := range int32(256) {
		c.y[i] = (i-black)*y + 1<<15 // the half rounds
		c.crR[i], c.crG[i] = (i-128)*crR, (i-128)*-crG
		c.cbG[i], c.cbB[i] = (i-128)*-cbG, (i-128)*cbB
	}
	return c
}

// fromYCbCr converts a picture; chroma of half resolution is interpolated
// between its samples, 3:1 on each side, as libjpeg ("fancy upsampling") and
// libwebp do and package image does not.
func fromYCbCr(out transform.RGB, m *image.YCbCr, video bool) {
	c := jpegChroma
	if video {
		c = videoChroma
	}
	up := newUpsampler(m, out.W, out.H)
	for y := range out.H {
		cb, cr := up.row(m.Cb, y, 0), up.row(m.Cr, y, 1)
		c.convert(out.Row(y), m.Y[y*m.YStride:][:out.W], cb, cr)
	}
}

// convert is one row.
func (c *chroma) convert(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		y, u, v := c.y[l], cb[x], cr[x]
		d := dst[3*x:][:3]
		d[0] = clip16(y + c.crR[v])
		d[1] = clip16(y + c.crG[v] + c.cbG[u])
		d[2] = clip16(y + c.cbB[u])
	}
}

// clip16 is a number of 16 binary places as a byte.
func clip16(v int32) uint8 {
	v >>= 16
	if uint32(v) > 255 {
		return uint8(^(v >> 31)) // 0 below, 255 above
	}
	return uint8(v)
}

// upsampler makes rows of chroma of full length.
type upsampler struct {
	w, cw, ch, stride int
	sx, sy            int        // pixels for a sample, across and down
	sum               []int32    // of two rows
	out               [2][]uint8 // of Cb and Cr
}

func newUpsampler(m *image.YCbCr, w, h int) *upsampler {
	u := &upsampler{w: w, stride: m.CStride, sx: 1, sy: 1}
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		u.sx = 2
	case image.YCbCrSubsampleRatio420:
		u.sx, u.sy = 2, 2
	case image.YCbCrSubsampleRatio440:
		u.sy = 2
	case image.YCbCrSubsampleRatio411:
		u.sx = 4
	case image.YCbCrSubsampleRatio410:
		u.sx, u.sy = 4, 2
	}
	u.cw, u.ch = (w+u.sx-1)/u.sx, (h+u.sy-1)/u.sy
	u.sum = make([]int32, u.cw)
	u.out = [2][]uint8{make([]uint8, w+4), make([]uint8, w+4)}
	return u
}

// row is row y of plane k at full length, valid until the next of the same k.
//
// Libjpeg interpolates only where there are more than two samples in a row.
func (u *upsampler) row(plane []uint8, y, k int) []uint8 {
	near := plane[y/u.sy*u.stride:][:u.cw]
	if u.sx == 1 && u.sy == 1 {
		return near
	}
	if u.sx == 4 || (u.sx == 2 && u.cw <= 2) {
		for x := range u.w {
			u.out[k][x] = near[x/u.sx]
		}
		return u.out[k]
	}
	u.addRows(plane, near, y)
	if u.sx == 1 {
		bias := int32(4 + 4*(y%2))
		for x, s := range u.sum {
			u.out[k][x] = uint8((4*s + bias) >> 4)
		}
		return u.out[k]
	}
	even, odd := int32(4), int32(8) // halves are rounded down and up in turn
	if u.sy == 2 {
		even, odd = 8, 7
	}
	doubled(u.out[k], u.sum, even, odd)
	return u.out[k]
}

// addRows writes three parts of the near row and one of that on the other side
// of row y to sum.
func (u *upsampler) addRows(plane, near []uint8, y int) {
	far := near
	if u.sy == 2 {
		j := min(max(y/2+y%2*2-1, 0), u.ch-1)
		far = plane[j*u.stride:][:u.cw]
	}
	for x := range u.sum {
		u.sum[x] = 3*int32(near[x]) + int32(far[x])
	}
}

// doubled makes two of each sample, a quarter of the neighbour in each.
func doubled(dst []uint8, sum []int32, even, odd int32) {
	left := sum[0]
	for i, s := range sum {
		right := s
		if i+1 < len(sum) {
			right = sum[i+1]
		}
		d := dst[2*i:][:2]
		d[0] = uint8((3*s + left + even) >> 4)
		d[1] = uint8((3*s + right + odd) >> 4)
		left = s
	}
}
