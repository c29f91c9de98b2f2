package main

// count writes CountAbove.
func (e *emitter) count() {
	at := e.function("countAbove", []arg{{"n", "int", "CX"}, {"x", "*float32", "SI"}, {"v", "*float32", "BX"}, {"p", "float32", e.r(12)},
		{"low", "*float32", "R8"}, {"high", "*float32", "R9"}, {"tLow", "float32", e.r(11)}, {"tHigh", "float32", e.r(10)}},
		arg{"above", "int", ""}, arg{"surely", "int", ""})
	e.i("XORQ R10, R10")
	e.i("XORQ R11, R11")
	e.rows(func() {
		e.load(0, "SI")
		e.load(1, "BX")
		e.nmaddTo(0, 1, 12)
		for h, base := range []string{"R8", "R9"} {
			e.load(2, base)
			e.add(2, 2, 11-h)
			e.cmp(29, 2, 0, 2) // ≥
			if e.wide {
				if e.masked {
					e.i("KANDW K1, K2, K2")
				}
				e.i("KMOVW K2, DX")
			} else {
				if e.masked {
					e.i("VANDPS Y15, Y14, Y14")
				}
				e.i("VMOVMSKPS Y14, DX")
			}
			e.i("POPCNTL DX, DX")
			e.i("ADDQ DX, R%d", 10+h)
		}
	})
	e.i("MOVQ R10, above+%d(FP)", at)
	e.i("MOVQ R11, surely+%d(FP)", at+8)
	e.end()
}
