package main

import "fmt"

// transpose writes the packing of 4·lanes rows of a matrix, side by side: from
// each lane's four rows four columns are loaded and transposed in the lane.
func (g *generator) transpose(v vector, lanes int) {
	rows := 4 * lanes
	name := fmt.Sprintf("transpose%s", v.name)
	if lanes != v.lanes {
		name += fmt.Sprint(rows)
	}
	const args = "quads int, dst *float32, dstStride int, src *float32, srcStride int"
	g.s("\n// %s transposes %d rows of 4·quads columns:\n//", name, rows)
	g.s("//\tdst[p*dstStride+i] = src[i*srcStride+p]")
	if lanes != v.lanes {
		g.s("//\n// It also clears dst[p*dstStride+%d:p*dstStride+%d], before what comes later is written.", rows, v.bytes/4)
	}
	g.s("//\n//go:noescape\nfunc %s(%s)", name, args)
	g.p("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-40", name, args, name)
	g.i("MOVQ quads+0(FP), CX")
	g.i("MOVQ dst+8(FP), DI")
	g.i("MOVQ dstStride+16(FP), DX")
	g.i("MOVQ src+24(FP), R8")
	g.i("MOVQ srcStride+32(FP), BX")
	g.i("SHLQ $2, DX")
	g.i("SHLQ $2, BX")
	g.i("LEAQ (BX)(BX*2), AX")
	for l := 1; l < lanes; l++ {
		g.i("LEAQ (R%d)(BX*4), R%d", 7+l, 8+l)
	}
	g.i("LEAQ (DX)(DX*2), R12")
	g.i("TESTQ CX, CX")
	g.i("JZ done")
	g.p("quad:")
	row := func(lane, r int) string {
		return fmt.Sprintf("(R%d)", 8+lane) + [...]string{"", "(BX*1)", "(BX*2)", "(AX*1)"}[r]
	}
	for r := range 4 {
		g.i("VMOVUPS %s, X%d", row(0, r), r)
		for l := 1; l < lanes; l++ {
			if v.reg == "Z" {
				g.i("VINSERTF32X4 $%d, %s, Z%d, Z%d", l, row(l, r), r, r)
			} else {
				g.i("VINSERTF128 $%d, %s, Y%d, Y%d", l, row(l, r), r, r)
			}
		}
	}
	z := func(n int) string { return fmt.Sprintf("%s%d", v.reg, n) }
	g.i("VUNPCKLPS %s, %s, %s", z(1), z(0), z(4))
	g.i("VUNPCKHPS %s, %s, %s", z(1), z(0), z(5))
	g.i("VUNPCKLPS %s, %s, %s", z(3), z(2), z(6))
	g.i("VUNPCKHPS %s, %s, %s", z(3), z(2), z(7))
	g.i("VUNPCKLPD %s, %s, %s", z(6), z(4), z(0))
	g.i("VUNPCKHPD %s, %s, %s", z(6), z(4), z(1))
	g.i("VUNPCKLPD %s, %s, %s", z(7), z(5), z(2))
	g.i("VUNPCKHPD %s, %s, %s", z(7), z(5), z(3))
	for q, to := range []string{"(DI)", "(DI)(DX*1)", "(DI)(DX*2)", "(DI)(R12*1)"} {
		g.i("VMOVUPS %s, %s", z(q), to)
	}
	g.i("LEAQ (DI)(DX*4), DI")
	for l := range lanes {
		g.i("ADDQ $16, R%d", 8+l)
	}
	g.i("DECQ CX")
	g.i("JNZ quad")
	g.p("done:")
	g.i("VZEROUPPER")
	g.i("RET")
}

// copyPanels writes the packing of panels of so many columns that lie side by
// side in a matrix: row by row, so that it is read in order.
func (g *generator) copyPanels(name string, width int, body func()) {
	const args = "rows, panels int, dst *float32, panelStride int, src *float32, srcStride int"
	g.s("\n// %s copies panels of %d columns:\n//\n//\tdst[q*panelStride+p*%d+j] = src[p*srcStride+q*%d+j]\n//\n//go:noescape\nfunc %s(%s)", name, width, width, width, name, args)
	g.p("\n// func %s(%s)\nTEXT ·%s(SB), NOSPLIT, $0-48", name, args, name)
	g.i("MOVQ rows+0(FP), CX")
	g.i("MOVQ panels+8(FP), R8")
	g.i("MOVQ dst+16(FP), R9")
	g.i("MOVQ panelStride+24(FP), DX")
	g.i("MOVQ src+32(FP), R10")
	g.i("MOVQ srcStride+40(FP), R11")
	g.i("SHLQ $2, DX")
	g.i("SHLQ $2, R11")
	g.i("TESTQ CX, CX")
	g.i("JZ done")
	g.p("row:")
	g.i("MOVQ R9, DI")
	g.i("MOVQ R10, SI")
	g.i("MOVQ R8, BX")
	g.p("panel:")
	body()
	g.i("ADDQ DX, DI")
	g.i("ADDQ $%d, SI", 4*width)
	g.i("DECQ BX")
	g.i("JNZ panel")
	g.i("ADDQ $%d, R9", 4*width)
	g.i("ADDQ R11, R10")
	g.i("DECQ CX")
	g.i("JNZ row")
	g.p("done:")
	g.i("VZEROUPPER")
	g.i("RET")
}

// copyRight writes the packing of panels of two vectors' width.
func (g *generator) copyRight(v vector) {
	g.copyPanels("copy"+v.name, v.bytes/2, func() {
		for half := range 2 {
			g.i("VMOVUPS %d(SI), %s%d", half*v.bytes, v.reg, half)
		}
		for half := range 2 {
			g.i("VMOVUPS %s%d, %d(DI)", v.reg, half, half*v.bytes)
		}
	})
}

// copyTwelve writes the packing of panels of 12 columns.
func (g *generator) copyTwelve() {
	g.copyPanels("copy12", 12, func() {
		for q := range 3 {
			g.i("VMOVUPS %d(SI), X%d", 16*q, q)
		}
		for q := range 3 {
			g.i("VMOVUPS X%d, %d(DI)", q, 16*q)
		}
	})
}

// peak writes a loop of independent fused multiply-adds.
func (g *generator) peak(v vector) {
	name := "peak" + v.name
	g.s("\n// %s runs rounds of 12 fused multiply-adds of whole registers, which do not wait for\n// each other.\n//\n//go:noescape\nfunc %s(rounds int)", name, name)
	g.p("\n// func %s(rounds int)\nTEXT ·%s(SB), NOSPLIT, $0-8", name, name)
	g.i("MOVQ rounds+0(FP), CX")
	for i := range 14 {
		if v.reg == "Z" {
			g.i("VPXORD Z%[1]d, Z%[1]d, Z%[1]d", i)
		} else {
			g.i("VXORPS Y%[1]d, Y%[1]d, Y%[1]d", i)
		}
	}
	g.p("round:")
	for i := range 12 {
		g.i("VFMADD231PS %[1]s12, %[1]s13, %[1]s%[2]d", v.reg, i)
	}
	g.i("DECQ CX")
	g.i("JNZ round")
	g.i("VZEROUPPER")
	g.i("RET")
}
