package eval

import (
	"context"
	"testing"
)

// benchmarkCell runs one cell again and again in a session.
func benchmarkCell(b *testing.B, setup, code string) {
	s, _ := newSession(b)
	run := func(code string) {
		if res := s.Run(context.Background(), Cell{Name: "In[1]", Code: code}); res.Err != nil {
			b.Fatal(res.Err)
		}
	}
	run(setup)
	for b.Loop() {
		run(code)
	}
}

func BenchmarkExpression(b *testing.B) { benchmarkCell(b, "", "1 + 1") }
func BenchmarkDefine(b *testing.B)     { benchmarkCell(b, "", "x := 1") }
func BenchmarkCall(b *testing.B)       { benchmarkCell(b, "", "strings.ToUpper(\"a\")") }
func BenchmarkLoop(b *testing.B) {
	benchmarkCell(b, "", "s := 0\nfor i := 0; i < 10000000; i++ { s += i * i }")
}

func BenchmarkMatmul(b *testing.B) {
	benchmarkCell(b, `func mul(a, b, c []float64, n int) {
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			s := 0.0
			for k := 0; k < n; k++ {
				s += a[i*n+k] * b[k*n+j]
			}
			c[i*n+j] = s
		}
	}
}
n := 100
p, q, r := make([]float64, n*n), make([]float64, n*n), make([]float64, n*n)`, "mul(p, q, r, n)")
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newSession(b)
	}
}
