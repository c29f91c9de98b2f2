package main

import "math"

// proxies writes the kernels of soft assignment and of distances in the ball.
func (e *emitter) proxies() {
	e.assign("assign", true)
	e.assign("assignOnly", false)
	e.assignGrad()
	e.squared()
	e.ballDistance()
	e.ballDistanceGrad()
}

// assign writes Assign, or without q.
func (e *emitter) assign(name string, stores bool) {
	e.function(name, []arg{{"n", "int", "CX"}, {"k", "int", "R8"}, {"q", "*float32", "DI"}, {"S", "*float32", "BX"}, {"s", "*float32", "SI"}, {"inverse", "float32", e.r(12)}})
	e.i("MOVQ CX, R9") // bytes of a row
	e.i("SHLQ $2, R9")
	e.rows(func() {
		loop := func(name string, body func()) { // over k, s at R10, q at R11
			e.label++
			e.i("LEAQ (SI)(AX*1), R10")
			if stores {
				e.i("LEAQ (DI)(AX*1), R11")
			}
			e.i("MOVQ R8, R12")
			e.at(labelOf(name, e.label))
			body()
			e.i("ADDQ R9, R10")
			if stores {
				e.i("ADDQ R9, R11")
			}
			e.i("DECQ R12")
			e.i("JNZ %s", labelOf(name, e.label))
		}
		e.i("VMOVUPS %s, %s", e.bits(0xff800000), e.r(11))
		loop("top", func() {
			e.loadFrom(0, "(R10)")
			e.high(11, 11, 0)
		})
		e.zero(10)
		e.zero(9)
		loop("terms", func() {
			e.loadFrom(4, "(R10)")
			e.sub(4, 4, 11)
			e.mul(0, 4, 12)
			e.exp(0, 1, 2, 3)
			if stores {
				e.storeTo("(R11)", 0)
			}
			e.add(10, 10, 0)
			e.maddTo(9, 0, 4)
		})
		e.set(8, 1)
		e.div(8, 8, 10)
		e.madd(9, 8, 11)
		e.store("BX", 9)
		if stores {
			loop("scale", func() {
				e.loadFrom(0, "(R11)")
				e.mul(0, 0, 8)
				e.storeTo("(R11)", 0)
			})
		}
	})
	e.end()
}

func labelOf(name string, n int) string {
	return name + string(rune('a'+n/26%26)) + string(rune('a'+n%26))
}

// assignGrad writes AssignGrad: a row of classes for each k.
func (e *emitter) assignGrad() {
	e.function("assignGrad", []arg{{"n", "int", "CX"}, {"k", "int", "R8"}, {"q", "*float32", "DI"}, {"s", "*float32", "SI"}, {"S", "*float32", "BX"}, {"gS", "*float32", "R13"}, {"inverse", "float32", e.r(12)}})
	e.i("MOVQ CX, R9")
	e.i("SHLQ $2, R9")
	e.rows(func() {
		e.load(11, "BX")
		e.load(10, "R13")
		e.label++
		e.i("LEAQ (SI)(AX*1), R10")
		e.i("LEAQ (DI)(AX*1), R11")
		e.i("MOVQ R8, R12")
		e.at(labelOf("proxy", e.label))
		e.loadFrom(0, "(R10)")
		e.sub(0, 0, 11)
		e.madd(0, 12, 1.0)
		e.loadFrom(1, "(R11)")
		e.mul(1, 1, 10)
		e.mul(0, 0, 1)
		e.storeTo("(R11)", 0)
		e.i("ADDQ R9, R10")
		e.i("ADDQ R9, R11")
		e.i("DECQ R12")
		e.i("JNZ %s", labelOf("proxy", e.label))
	})
	e.end()
}

// squared writes SquaredFromDots. The result is 0 or not.
func (e *emitter) squared() {
	at := e.function("squaredFromDots", []arg{{"n", "int", "CX"}, {"t", "*float32", "DI"}, {"xx", "float32", e.r(12)}, {"yy", "*float32", "SI"}}, arg{"near", "int", ""})
	e.i("XORQ R8, R8")
	e.zero(10)
	e.rows(func() {
		e.load(0, "SI")
		e.add(0, 0, 12)
		e.load(1, "DI")
		e.mul(2, 0, 1e-5)
		e.set(3, -2)
		e.madd(1, 3, 0) // both - 2t
		e.high(1, 10, 1)
		e.store("DI", 1)
		e.cmp(less, 2, 1, 2)
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
		e.i("ORQ DX, R8")
	})
	e.i("MOVQ R8, near+%d(FP)", at)
	e.end()
}

// rsqrt writes d = 1/√x to about two ulp, x normal; 12 bits or 14 to begin
// with and Newton's step. d is not x.
func (e *emitter) rsqrt(d, x, t0, t1 int) {
	if !e.wide {
		e.sqrt(t0, x)
		e.set(d, 1)
		e.div(d, d, t0)
		return
	}
	e.i("VRSQRT14PS %s, %s", e.r(x), e.r(d))
	e.mul(t0, x, d) // y' = y + y/2 (1 - x y²)
	e.set(t1, 1)
	e.op("VFNMADD213PS", t0, d, t1)
	e.mul(t1, d, 0.5)
	e.maddTo(d, t0, t1)
}

// least is what a squared number must exceed to count.
var least = math.Ldexp(1, -100)

// ballDistance writes BallDistance.
func (e *emitter) ballDistance() {
	e.function("ballDistance", []arg{{"n", "int", "CX"}, {"dst", "*float32", "DI"}, {"sq", "*float32", "SI"}, {"a", "float32", e.r(12)}, {"b", "*float32", "BX"}, {"scale", "float32", e.r(11)}})
	e.rows(func() {
		e.load(0, "SI")
		e.load(1, "BX")
		e.mul(0, 0, 12)
		e.mul(0, 0, 1) // z²
		e.cmp(greater, 3, 0, least)
		e.set(9, 1)
		e.pick(3, 9, 0) // a number whose root can be divided by
		e.rsqrt(1, 9, 2, 3)
		e.mul(1, 1, 9) // z
		e.add(2, 9, 1.0)
		e.rsqrt(3, 2, 4, 5)
		e.mul(2, 2, 3) // √(1+z²)
		e.add(2, 2, 1.0)
		if e.wide {
			e.i("VRCP14PS Z2, Z3")
			e.set(4, 1) // y' = y + y (1 - x y)
			e.nmaddTo(4, 2, 3)
			e.maddTo(3, 3, 4)
			e.maddTo(1, 9, 3)
		} else {
			e.div(3, 9, 2)
			e.add(1, 1, 3)
		}
		e.log1p(2, 1, 3, 4, 5, 6)
		e.mul(2, 2, 11)
		e.keep(3, 2)
		e.store("DI", 2)
	})
	e.end()
}

// ballDistanceGrad writes BallDistanceGrad.
func (e *emitter) ballDistanceGrad() {
	at := e.function("ballDistanceGrad", []arg{{"n", "int", "CX"}, {"gy", "*float32", "DI"}, {"w", "*float32", "SI"}, {"v", "*float32", "BX"}, {"sq", "*float32", "R8"},
		{"A", "float32", e.r(12)}, {"B", "*float32", "R9"}, {"c", "float32", e.r(11)}}, arg{"W", "float32", ""}, arg{"V", "float32", ""})
	e.zero(10)
	e.zero(9)
	e.rows(func() {
		e.load(0, "R8")
		e.load(1, "R9")
		e.mul(1, 1, 12)
		e.maddTo(1, 0, 11)
		e.mul(1, 1, 0)
		e.cmp(greater, 2, 1, least)
		e.set(8, 1)
		e.pick(2, 8, 1)
		e.rsqrt(2, 8, 3, 4)
		e.load(3, "DI")
		e.mul(2, 2, 3)
		e.add(2, 2, 2)
		e.keep(2, 2)
		e.store("DI", 2)
		e.add(10, 10, 2)
		e.load(3, "SI")
		e.add(3, 3, 2)
		e.store("SI", 3)
		e.mul(2, 2, 0)
		e.add(9, 9, 2)
		e.load(3, "BX")
		e.add(3, 3, 2)
		e.store("BX", 3)
	})
	e.fold("VADDPS", 10, 3)
	e.fold("VADDPS", 9, 3)
	e.i("VMOVSS X10, W+%d(FP)", at)
	e.i("VMOVSS X9, V+%d(FP)", at+4)
	e.end()
}
