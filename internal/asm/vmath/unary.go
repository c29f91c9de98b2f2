package main

import "math"

// exp writes x = exp(x), with t0, t1, t2 for scratch.
func (e *emitter) exp(x, t0, t1, t2 int) {
	e.set(t0, 89) // already infinite
	e.low(x, t0, x)
	e.set(t0, -104) // already 0
	e.high(x, t0, x)
	e.mul(t0, x, math.Log2E)
	if e.wide {
		e.i("VRNDSCALEPS $8, %s, %s", e.r(t0), e.r(t0))
	} else {
		e.i("VROUNDPS $8, %s, %s", e.r(t0), e.r(t0))
	}
	e.nmaddTo(x, t0, 0.693359375)
	e.nmaddTo(x, t0, math.Ln2-0.693359375)
	e.horner(t1, x, expPoly)
	e.mul(t2, x, x)
	e.madd(t1, t2, x)
	e.add(t1, t1, 1.0)
	if e.wide {
		e.i("VSCALEFPS %s, %s, %s", e.r(t0), e.r(t1), e.r(x))
		return
	}
	e.i("VCVTPS2DQ %s, %s", e.r(t0), e.r(t0)) // in two halves, which do not overflow
	e.i("VPSRAD $1, %s, %s", e.r(t0), e.r(t2))
	e.i("VPSUBD %s, %s, %s", e.r(t2), e.r(t0), e.r(t0))
	for _, n := range []int{t0, t2} {
		e.i("VPADDD %s, %s, %s", e.bits(127), e.r(n), e.r(n))
		e.i("VPSLLD $23, %s, %s", e.r(n), e.r(n))
		e.mul(t1, t1, n)
	}
	e.move(x, t1)
}

// log1p writes d = log(1+x) for finite x > -1; x keeps its value. t0 to t4 are
// scratch.
//
// With k so that √½ ≤ (1+x)/2^k < √2, f = x/2^k + (1/2^k - 1) has one rounding.
func (e *emitter) log1p(d, x, t0, t1, t2, t3 int) {
	e.add(t0, x, 1.0)
	e.i("VPSUBD %s, %s, %s", e.bits(math.Float32bits(math.Sqrt2/2)), e.r(t0), e.r(t0))
	e.i("VPSRAD $23, %s, %s", e.r(t0), e.r(t0)) // k
	e.i("VCVTDQ2PS %s, %s", e.r(t0), e.r(t1))
	if e.wide {
		e.zero(t2)
		e.sub(t2, t2, t1)
		e.set(t3, 1)
		e.i("VSCALEFPS %s, %s, %s", e.r(t2), e.r(t3), e.r(t3))
		e.i("VSCALEFPS %s, %s, %s", e.r(t2), e.r(x), e.r(d))
	} else {
		e.i("VPSRAD $1, %s, %s", e.r(t0), e.r(t2))
		e.i("VPSUBD %s, %s, %s", e.r(t2), e.r(t0), e.r(t0))
		for _, n := range []int{t0, t2} {
			e.i("VMOVUPS %s, %s", e.bits(127), e.r(t3))
			e.i("VPSUBD %s, %s, %s", e.r(n), e.r(t3), e.r(n))
			e.i("VPSLLD $23, %s, %s", e.r(n), e.r(n))
		}
		e.mul(d, x, t0)
		e.mul(d, d, t2)
		e.mul(t3, t0, t2)
	}
	e.sub(t3, t3, 1.0)
	e.add(t3, t3, d) // f
	e.horner(d, t3, logPoly)
	e.mul(t2, t3, t3)
	e.madd(d, t3, -0.5)
	e.mul(t0, t1, math.Ln2-0.693359375)
	e.madd(d, t2, t0)
	e.add(d, d, t3)
	e.maddTo(d, t1, 0.693359375)
}

// unary writes the functions of one row.
func (e *emitter) unary() {
	e.each("exp", func() { e.exp(0, 1, 2, 3) })
	e.each("sqrt", func() { e.sqrt(0, 0) })
	e.each("log1p", func() {
		e.log1p(1, 0, 2, 3, 4, 5)
		e.cmp(notLess, 2, 0, math.Inf(1)) // also NaN
		e.pick(2, 1, 0)
		e.cmp(equal, 2, 0, 0.0) // keeps the sign
		e.pick(2, 1, 0)
		e.cmp(equal, 2, 0, -1.0)
		e.pick(2, 1, math.Inf(-1))
		e.cmp(less, 2, 0, -1.0)
		e.pick(2, 1, math.NaN())
		e.move(0, 1)
	})
	e.each("asinh", func() {
		e.and(1, 0, absBits)
		e.set(2, 1e9) // where √(1+z²) is z
		e.low(2, 2, 1)
		e.mul(3, 2, 2)
		e.add(3, 3, 1.0)
		e.sqrt(3, 3)
		e.add(3, 3, 1.0)
		e.div(2, 2, 3)
		e.madd(2, 1, 1) // |z| + |z| r
		e.cmp(greater, 3, 1, 1e37)
		e.pick(3, 2, 1)
		e.log1p(3, 2, 4, 5, 6, 7)
		e.add(4, 3, math.Ln2)
		e.pick(3, 3, 4)
		e.cmp(notLess, 2, 1, math.Inf(1))
		e.pick(2, 3, 1)
		e.and(2, 0, signBits)
		e.or(0, 3, 2)
	})
	e.each("tanh", func() {
		e.and(1, 0, absBits)
		e.add(2, 1, 1)
		e.exp(2, 3, 4, 5)
		e.add(2, 2, 1.0)
		e.set(3, 2)
		e.div(3, 3, 2)
		e.set(2, 1)
		e.sub(2, 2, 3)
		e.mul(3, 1, 1)
		e.horner(4, 3, tanhPoly)
		e.mul(4, 4, 3)
		e.madd(4, 1, 1)
		e.cmp(less, 2, 1, 0.625)
		e.pick(2, 2, 4)
		e.and(3, 0, signBits)
		e.or(0, 2, 3)
	})
	e.each("erf", func() { e.erf(0, 1, 2, 3, 4, 5) })
	e.each("gelu", func() {
		e.move(6, 0)
		e.mul(0, 0, math.Sqrt2/2)
		e.erf(0, 1, 2, 3, 4, 5)
		e.mul(6, 6, 0.5)
		e.madd(0, 6, 6)
	})
	e.function("geluGrad", []arg{{"n", "int", "CX"}, {"dst", "*float32", "DI"}, {"x", "*float32", "SI"}, {"gy", "*float32", "BX"}})
	e.rows(func() { // g (½(1+erf(x/√2)) + x exp(-x²/2)/√(2π))
		e.load(6, "SI")
		e.mul(0, 6, math.Sqrt2/2)
		e.erf(0, 1, 2, 3, 4, 5)
		e.mul(1, 6, -0.5)
		e.mul(1, 1, 6)
		e.exp(1, 2, 3, 4)
		e.mul(1, 1, 1/math.Sqrt(2*math.Pi))
		e.set(2, 0.5)
		e.madd(0, 2, 0.5)
		e.maddTo(0, 1, 6)
		e.load(1, "BX")
		e.mul(0, 0, 1)
		e.store("DI", 0)
	})
	e.end()
}

// erf writes x = erf(x).
func (e *emitter) erf(x, t0, t1, t2, t3, t4 int) {
	e.and(t0, x, absBits)
	e.set(t1, 4)
	e.low(t1, t1, t0)
	e.horner(t2, t1, erfcPoly)
	e.zero(t1)
	e.sub(t1, t1, t2)
	e.exp(t1, t2, t3, t4)
	e.set(t2, 1)
	e.sub(t1, t2, t1)
	e.mul(t2, t0, t0)
	e.horner(t3, t2, erfPoly)
	e.mul(t3, t3, t0)
	e.cmp(less, 2, t0, 1.0)
	e.pick(2, t1, t3)
	e.and(x, x, signBits)
	e.or(x, x, t1)
}

// each writes a function that maps a row: body maps register 0.
func (e *emitter) each(name string, body func()) {
	e.function(name, []arg{{"n", "int", "CX"}, {"dst", "*float32", "DI"}, {"x", "*float32", "SI"}})
	e.rows(func() {
		e.load(0, "SI")
		body()
		e.store("DI", 0)
	})
	e.end()
}
