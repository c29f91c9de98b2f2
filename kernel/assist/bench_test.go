package assist

import (
	"fmt"
	"go/types"
	"strings"
	"testing"
)

// benchCell is a cell of about 60 lines; tail is what is being typed.
func benchCell(tail string) string {
	var b strings.Builder
	b.WriteString("import (\n\t\"os\"\n\t\"sort\"\n)\n")
	for i := range 6 {
		fmt.Fprintf(&b, `
// step%d is one of the functions of the cell.
func step%[1]d(m *Model, n int) (total float64, err error) {
	for i, l := range m.Layers {
		if l.Size() > n {
			total += float64(l.In*i) * math.Sqrt(float64(n))
		}
	}
	return total, nil
}
`, i)
	}
	b.WriteString("data, _ := os.ReadFile(\"x\")\nlines := str.Split(string(data), \"\\n\")\nsort.Strings(lines)\n")
	return b.String() + tail
}

// benchEnv is the notebook of the tables with 200 variables more.
func benchEnv() Env {
	env := testEnv()
	scope := types.NewPackage("main", "main")
	for _, name := range env.Scope.Scope().Names() {
		scope.Scope().Insert(env.Scope.Scope().Lookup(name))
	}
	for i := range 200 {
		t := env.Scope.Scope().Lookup("model").Type()
		scope.Scope().Insert(types.NewVar(0, scope, fmt.Sprintf("variable%d", i), t))
	}
	env.Scope = scope
	return env
}

func BenchmarkComplete(b *testing.B) {
	for _, tail := range []string{"for _, line := range lines {\n\tmodel.Tra", "v", "fmt.", "if err := failure; err.", ""} {
		b.Run(fmt.Sprintf("%q", tail), func(b *testing.B) {
			env, code := benchEnv(), benchCell(tail)
			Complete(env, code, len(code))
			for b.Loop() {
				Complete(env, code, len(code))
			}
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	for _, tail := range []string{"model.Train(", "str.Split", "step3", "Model"} {
		b.Run(tail, func(b *testing.B) {
			env, code := benchEnv(), benchCell(tail)
			for b.Loop() {
				Inspect(env, code, len(code), 1)
			}
		})
	}
}
