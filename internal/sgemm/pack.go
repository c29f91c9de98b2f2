package sgemm

// transpose writes the rows×columns matrix dst with
//
//	dst[r*dstStride+c] = src[c*srcStride+r]
//
// It goes four columns at a time, so that each visit to a row of dst writes a
// quarter of a cache line.
func transpose(dst []float32, dstStride int, src []float32, srcStride, rows, columns int) {
	if rows == 0 {
		return
	}
	c := 0
	for ; c+4 <= columns; c += 4 {
		s0 := src[c*srcStride : c*srcStride+rows]
		s1 := src[(c+1)*srcStride : (c+1)*srcStride+rows]
		s2 := src[(c+2)*srcStride : (c+2)*srcStride+rows]
		s3 := src[(c+3)*srcStride : (c+3)*srcStride+rows]
		for r := range s0 {
			d := dst[r*dstStride+c : r*dstStride+c+4 : r*dstStride+c+4]
			d[0], d[1], d[2], d[3] = s0[r], s1[r], s2[r], s3[r]
		}
	}
	for ; c < columns; c++ {
		for r, v := range src[c*srcStride : c*srcStride+rows] {
			dst[r*dstStride+c] = v
		}
	}
}
