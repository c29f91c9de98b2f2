package main

// reductions writes the functions that end in one number. They keep one
// vector of partial results, for float64 two, and fold it at the end.
func (e *emitter) reductions() {
	n, x, y := arg{"n", "int", "CX"}, arg{"x", "*float32", "SI"}, arg{"y", "*float32", "BX"}
	f32, f64 := arg{"r", "float32", ""}, arg{"r", "float64", ""}

	at := e.function("max", []arg{n, x}, f32) // NaN wins: kept apart
	e.i("VMOVUPS %s, %s", e.bits(0xff800000), e.r(0))
	e.zero(4)
	e.rows(func() {
		e.load(1, "SI")
		if e.masked {
			e.i("VMOVUPS %s, %s", e.bits(0xff800000), e.r(2))
			if e.wide {
				e.i("VMOVAPS %s, K1, %s", e.r(1), e.r(2))
			} else {
				e.i("VBLENDVPS Y15, %s, %s, %s", e.r(1), e.r(2), e.r(2))
			}
			e.move(1, 2)
		}
		e.cmp(unordered, 2, 1, 1)
		e.pick(2, 4, 1)
		e.high(0, 0, 1)
	})
	e.fold("VMAXPS", 0, 3)
	e.fold("VADDPS", 4, 3) // 0, or NaN
	e.i("VADDSS X4, X0, X0")
	e.i("VMOVSS X0, r+%d(FP)", at)
	e.end()

	e.sum("sum", []arg{n, x}, f32, func() {
		e.load(1, "SI")
		e.add(0, 0, 1)
	})
	e.sum("dot", []arg{n, x, y}, f32, func() {
		e.load(1, "SI")
		e.load(2, "BX")
		e.maddTo(0, 1, 2)
	})
	e.sum("dot64", []arg{n, x, y}, f64, func() {
		e.load(2, "SI")
		e.load(3, "BX")
		e.halves(2, 4, 5)
		e.halves(3, 6, 7)
		e.i("VFMADD231PD %s, %s, %s", e.r(6), e.r(4), e.r(0))
		e.i("VFMADD231PD %s, %s, %s", e.r(7), e.r(5), e.r(1))
	})
	e.sum("sum64", []arg{n, x}, f64, func() {
		e.load(2, "SI")
		e.halves(2, 4, 5)
		e.i("VADDPD %s, %s, %s", e.r(4), e.r(0), e.r(0))
		e.i("VADDPD %s, %s, %s", e.r(5), e.r(1), e.r(1))
	})
	e.sum("squaredDistance64", []arg{n, x, y}, f64, func() {
		e.load(2, "SI")
		e.load(3, "BX")
		e.halves(2, 4, 5)
		e.halves(3, 6, 7)
		for h := range 2 {
			e.i("VSUBPD %s, %s, %s", e.r(6+h), e.r(4+h), e.r(4+h))
			e.i("VFMADD231PD %s, %s, %s", e.r(4+h), e.r(4+h), e.r(h))
		}
	})
	e.expSum("expSum", true)
	e.expSum("expSumOnly", false)
}

// sum writes a function that collects in register 0, for float64 in 0 and 1.
func (e *emitter) sum(name string, args []arg, result arg, body func()) {
	at := e.function(name, args, result)
	e.zero(0)
	e.zero(1)
	e.rows(body)
	if result.kind == "float64" {
		e.i("VADDPD %s, %s, %s", e.r(1), e.r(0), e.r(0))
		e.fold("VADDPD", 0, 3)
		e.i("VMOVSD X0, r+%d(FP)", at)
	} else {
		e.fold("VADDPS", 0, 3)
		e.i("VMOVSS X0, r+%d(FP)", at)
	}
	e.end()
}

// fold brings the lanes of a register together in its first one, halves first.
func (e *emitter) fold(op string, x, t int) {
	if e.wide {
		e.i("VEXTRACTF64X4 $1, Z%d, Y%d", x, t)
		e.i("%s Y%d, Y%d, Y%d", op, t, x, x)
	}
	e.i("VEXTRACTF128 $1, Y%d, X%d", x, t)
	e.i("%s X%d, X%d, X%d", op, t, x, x)
	e.i("VPERMILPD $1, X%d, X%d", x, t)
	e.i("%s X%d, X%d, X%d", op, t, x, x)
	if op[len(op)-1] == 'S' { // …PS: two lanes are left
		e.i("VPERMILPS $1, X%d, X%d", x, t)
		e.i("%s X%d, X%d, X%d", op, t, x, x)
	}
}

// expSum writes the sum of exp(x-shift), with or without storing the terms.
func (e *emitter) expSum(name string, stores bool) {
	args := []arg{{"n", "int", "CX"}, {"dst", "*float32", "DI"}, {"x", "*float32", "SI"}, {"shift", "float32", e.r(12)}}
	if !stores {
		args = append(args[:1:1], args[2:]...)
	}
	at := e.function(name, args, arg{"r", "float64", ""})
	e.zero(10)
	e.zero(11)
	e.rows(func() {
		e.load(0, "SI")
		e.sub(0, 0, 12)
		e.exp(0, 1, 2, 3)
		if stores {
			e.store("DI", 0)
		}
		if e.masked { // lanes behind the row have exp(-shift)
			if e.wide {
				e.i("VMOVAPS.Z Z0, K1, Z0")
			} else {
				e.i("VANDPS Y15, Y0, Y0")
			}
		}
		e.halves(0, 4, 5)
		e.i("VADDPD %s, %s, %s", e.r(4), e.r(10), e.r(10))
		e.i("VADDPD %s, %s, %s", e.r(5), e.r(11), e.r(11))
	})
	e.i("VADDPD %s, %s, %s", e.r(11), e.r(10), e.r(10))
	e.fold("VADDPD", 10, 3)
	e.i("VMOVSD X10, r+%d(FP)", at)
	e.end()
}
