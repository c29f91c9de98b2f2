package main

// simple writes the functions of a few operations an entry.
func (e *emitter) simple() {
	n, dst, x, y := arg{"n", "int", "CX"}, arg{"dst", "*float32", "DI"}, arg{"x", "*float32", "SI"}, arg{"y", "*float32", "BX"}
	a := arg{"a", "float32", e.r(12)}
	e.function("axpy", []arg{n, dst, x, a})
	e.rows(func() {
		e.load(0, "SI")
		e.load(1, "DI")
		e.maddTo(1, 0, 12)
		e.store("DI", 1)
	})
	e.end()
	e.function("scale", []arg{n, dst, x, a})
	e.rows(func() {
		e.load(0, "SI")
		e.mul(0, 0, 12)
		e.store("DI", 0)
	})
	e.end()
	e.function("affine", []arg{n, dst, x, a, {"b", "float32", e.r(11)}})
	e.rows(func() {
		e.load(0, "SI")
		e.madd(0, 12, 11)
		e.store("DI", 0)
	})
	e.end()
	for _, f := range []struct {
		name string
		op   func(d, a int, b any)
	}{{"add", e.add}, {"mul", e.mul}} {
		e.function(f.name, []arg{n, dst, x, y})
		e.rows(func() {
			e.load(0, "SI")
			e.load(1, "BX")
			f.op(0, 0, 1)
			e.store("DI", 0)
		})
		e.end()
	}
	e.each("relu", func() {
		e.zero(1)
		e.high(0, 1, 0) // NaN stays
	})
	e.function("reluGrad", []arg{n, dst, x, y})
	e.rows(func() { // y where x > 0
		e.load(0, "SI")
		e.load(1, "BX")
		e.cmp(greater, 2, 0, 0.0)
		e.keep(2, 1)
		e.store("DI", 1)
	})
	e.end()
	e.combine()
	e.adamW()
}

// combine writes dst += a x + b y in float64: half a vector at a time.
func (e *emitter) combine() {
	e.function("combine64", []arg{{"n", "int", "CX"}, {"dst", "*float32", "DI"}, {"a", "float64", e.r(12)}, {"x", "*float32", "SI"}, {"b", "float64", e.r(11)}, {"y", "*float32", "BX"}})
	e.rows(func() {
		e.load(0, "SI")
		e.load(1, "BX")
		e.load(2, "DI")
		e.halves(0, 3, 4)
		e.halves(1, 5, 6)
		e.halves(2, 7, 8)
		for h := range 2 {
			e.i("VFMADD231PD %s, %s, %s", e.r(12), e.r(3+h), e.r(7+h))
			e.i("VFMADD231PD %s, %s, %s", e.r(11), e.r(5+h), e.r(7+h))
		}
		if e.wide {
			e.i("VCVTPD2PS Z7, Y0")
			e.i("VCVTPD2PS Z8, Y1")
			e.i("VINSERTF64X4 $1, Y1, Z0, Z0")
		} else {
			e.i("VCVTPD2PSY Y7, X0")
			e.i("VCVTPD2PSY Y8, X1")
			e.i("VINSERTF128 $1, X1, Y0, Y0")
		}
		e.store("DI", 0)
	})
	e.end()
}

// halves widens register x to float64, its halves in lo and hi.
func (e *emitter) halves(x, lo, hi int) {
	if e.wide {
		e.i("VEXTRACTF64X4 $1, Z%d, Y%d", x, hi)
		e.i("VCVTPS2PD Y%d, Z%d", x, lo)
		e.i("VCVTPS2PD Y%d, Z%d", hi, hi)
		return
	}
	e.i("VEXTRACTF128 $1, Y%d, X%d", x, hi)
	e.i("VCVTPS2PD X%d, Y%d", x, lo)
	e.i("VCVTPS2PD X%d, Y%d", hi, hi)
}

// adamW writes the step of the optimiser.
func (e *emitter) adamW() {
	e.function("adamW", []arg{{"n", "int", "CX"}, {"w", "*float32", "DI"}, {"gy", "*float32", "SI"}, {"m", "*float32", "BX"}, {"v", "*float32", "R8"},
		{"scale", "float32", e.r(12)}, {"beta1", "float32", e.r(11)}, {"beta2", "float32", e.r(10)}, {"keep", "float32", e.r(9)},
		{"step", "float32", e.r(8)}, {"root", "float32", e.r(7)}, {"eps", "float32", e.r(6)}})
	e.rows(func() {
		e.load(0, "SI")
		e.mul(0, 0, 12)
		e.load(1, "BX") // m = x + β (m-x)
		e.sub(1, 1, 0)
		e.madd(1, 11, 0)
		e.store("BX", 1)
		e.mul(0, 0, 0)
		e.load(2, "R8") // v = x² + β (v-x²)
		e.sub(2, 2, 0)
		e.madd(2, 10, 0)
		e.store("R8", 2)
		e.sqrt(2, 2)
		e.madd(2, 7, 6)
		e.mul(1, 1, 8)
		e.div(1, 1, 2)
		e.load(3, "DI")
		e.mul(3, 3, 9)
		e.sub(3, 3, 1)
		e.store("DI", 3)
		e.zero(0)
		e.store("SI", 0)
	})
	e.end()
}
