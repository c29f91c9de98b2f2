package notebook

import (
	"strings"
	"testing"
)

const declaredParameters = `import "time"

// Parameters of the run.
epochs, width := 8, -3
var rate = 1e-3
var half float32 = 1
const name = "conv"
const fixed = 2.5
seed := uint64(1)
flat := false
pause := 2 * time.Second
var limit time.Duration
list := []int{1}
scaled := 2 * (1.5)
shift := 1 << 3
_ = epochs`

// withParameters is a notebook with a parameters cell between two others.
func withParameters(source string) *Notebook {
	nb := cells("before", source, "after")
	nb.Cells[1].Metadata["tags"] = []any{"x", parametersTag}
	return nb
}

func TestSetParameters(t *testing.T) {
	cases := []struct{ param, want string }{
		{"epochs=20", "epochs = 20"},
		{"epochs= 0x10 ", "epochs = 16"},
		{"width=-7", "width = -7"},
		{"rate=20", "rate = 20.0"},
		{"rate=2.5e-4", "rate = 0.00025"},
		{"half=1e30", "half = 1e+30"},
		{"name=a=\"b\" ", `const name = "a=\"b\" "`},
		{"name=", `const name = ""`},
		{"fixed=3", "const fixed = 3.0"},
		{"seed=18446744073709551615", "seed = 18446744073709551615"},
		{"flat=true", "flat = true"},
		{"pause=90s", "pause = 90 * time.Second"},
		{"pause=1h30m", "pause = 90 * time.Minute"},
		{"limit=0s", "limit = 0 * time.Nanosecond"},
		{"scaled=1", "scaled = 1.0"},
		{"shift=1", "shift = 1"},
	}
	for _, c := range cases {
		nb := withParameters(declaredParameters)
		if err := nb.SetParameters([]string{c.param}); err != nil {
			t.Errorf("%s: %v", c.param, err)
			continue
		}
		got := nb.Cells[2]
		if len(nb.Cells) != 4 || got.Source != "// Parameters of this run.\n"+c.want || !got.tagged(injectedTag) || got.ID == "" {
			t.Errorf("%s: got %q, want %q", c.param, got.Source, c.want)
		}
	}
}

func TestSetParametersErrors(t *testing.T) {
	cases := []struct{ param, want string }{
		{"depth=3", `there is no parameter "depth"; there are: epochs (now 8), width (now -3), rate (now 1e-3)`},
		{"epochs", `parameter "epochs": want name=value`},
		{"=3", "want name=value"},
		{"epochs=2.5", `parameter epochs (declared as 8): "2.5" is no int`},
		{"epochs=", `"" is no int`},
		{"epochs=99999999999999999999", "is no int"},
		{"epochs=1; os.Exit(1)", "is no int"},
		{"rate=fast", `parameter rate (declared as 1e-3): "fast" is no float`},
		{"rate=NaN", "is no float"},
		{"rate=1e999", "is no float"},
		{"seed=-1", `parameter seed (declared as uint64(1)): "-1" is no int ≥ 0`},
		{"flat=1", `"1" is no bool: want true or false`},
		{"pause=90", `"90" is no duration`},
		{"list=1", "only int, float, string, bool and duration values"},
		{"_=1", `there is no parameter "_"`},
	}
	for _, c := range cases {
		nb := withParameters(declaredParameters)
		err := nb.SetParameters([]string{c.param})
		if err == nil || !strings.Contains(err.Error(), c.want) || len(nb.Cells) != 3 {
			t.Errorf("%s: got %v, want %q", c.param, err, c.want)
		}
	}
	if err := cells("x := 1").SetParameters([]string{"x=1"}); err == nil || !strings.Contains(err.Error(), `no code cell is tagged "parameters"`) {
		t.Errorf("no such cell: %v", err)
	}
	if err := withParameters("x := 1\ny := (2").SetParameters([]string{"x=1"}); err == nil || !strings.Contains(err.Error(), "line 2, column") {
		t.Errorf("broken cell: %v", err)
	}
	if err := withParameters("}; func f() {").SetParameters([]string{"x=1"}); err == nil {
		t.Error("a cell that is no list of statements was taken")
	}
	if err := withParameters("// none").SetParameters([]string{"x=1"}); err == nil || !strings.Contains(err.Error(), "declares none") {
		t.Errorf("nothing declared: %v", err)
	}
}

func TestSetParametersAgain(t *testing.T) {
	nb := withParameters("a, b := 1, 2\nc := 3")
	if err := nb.SetParameters([]string{"b=5", "a=6", "b=7"}); err != nil {
		t.Fatal(err)
	}
	if got, want := nb.Cells[2].Source, "// Parameters of this run.\nb = 7\na = 6"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	id := nb.Cells[2].ID
	if err := nb.SetParameters([]string{"c=9"}); err != nil {
		t.Fatal(err)
	}
	if got := nb.Cells[2]; len(nb.Cells) != 4 || got.Source != "// Parameters of this run.\nc = 9" || got.ID != id {
		t.Errorf("the old cell was not replaced: %q", got.Source)
	}
	if err := nb.SetParameters(nil); err != nil || len(nb.Cells) != 4 {
		t.Errorf("no parameters: %v", err)
	}
}

func FuzzDeclarations(f *testing.F) {
	f.Add(declaredParameters)
	f.Add("import (\n\"time\"\n)\nx := 1")
	f.Fuzz(func(t *testing.T, source string) {
		all, err := declarations(source)
		if err != nil {
			return
		}
		for _, p := range all {
			if p.name == "" {
				t.Errorf("a parameter without name in %q", source)
			}
		}
	})
}
