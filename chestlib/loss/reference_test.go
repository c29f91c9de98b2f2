package loss

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// softReference is one case of either SoftTriple in testdata/reference.json,
// made by testdata/reference.py in 50 digits.
type softReference struct {
	Classes, K, D           int
	X, Proxies              []float32
	Label                   []int
	Lambda                  float64 `json:"lambda_"`
	Gamma, Delta, Tau, C, R float64
	Similarity              string
	Free                    bool
	Cls, Merge, Clipped     float64
	GradX                   []float64 `json:"grad_x"`
	GradP                   []float64 `json:"grad_p"`
}

type chestReference struct {
	Classes, K, DE, DH       int
	C                        float64
	LabelAware               bool `json:"label_aware"`
	Label                    []int
	UE, UH, PE, PH           []float32
	E, Merge, H, Tree, Total float64
	GradUE                   []float64 `json:"grad_uE"`
	GradUH                   []float64 `json:"grad_uH"`
	GradPE                   []float64 `json:"grad_pE"`
	GradPH                   []float64 `json:"grad_pH"`
}

func readReference(t *testing.T) (r struct {
	Euclidean, Hyperbolic []softReference
	CHEST                 []chestReference
}) {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Euclidean) == 0 || len(r.Hyperbolic) == 0 || len(r.CHEST) == 0 {
		t.Fatal("reference.json is empty")
	}
	return r
}

// checkValues compares values to 1e-9.
func checkValues(t *testing.T, name string, got, want []float64) {
	t.Helper()
	for i := range want {
		if !closeTo(got[i], want[i], 1e-9) {
			t.Errorf("%s: value %d is %.15g, want %.15g", name, i, got[i], want[i])
		}
	}
}

// checkFloat32 compares a gradient to the rounding of float32, which it is
// stored in.
func checkFloat32(t *testing.T, name string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d entries, want %d", name, len(got), len(want))
	}
	var top float64
	for _, w := range want {
		top = max(top, math.Abs(w))
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= 2e-7*top+1e-12) {
			t.Errorf("%s: entry %d is %.9g, want %.9g", name, i, got[i], w)
		}
	}
}

func TestSoftTripleReference(t *testing.T) {
	for _, k := range readReference(t).Euclidean {
		l := NewSoftTriple(k.Classes, k.D, SoftTripleOptions{Lambda: k.Lambda, Gamma: k.Gamma, Delta: k.Delta, Tau: k.Tau, Proxies: k.K})
		copy(l.proxies.Value, k.Proxies)
		gx := make([]float32, len(k.X))
		cls, merge := l.Step(k.X, k.Label, gx, 1)
		checkValues(t, "SoftTriple", []float64{cls, merge}, []float64{k.Cls, k.Merge})
		checkFloat32(t, "SoftTriple features", gx, k.GradX)
		checkFloat32(t, "SoftTriple proxies", l.proxies.Grad, k.GradP)
	}
}

func TestHyperSoftTripleReference(t *testing.T) {
	var seen []Similarity
	for _, k := range readReference(t).Hyperbolic {
		o := HyperSoftTripleOptions{Lambda: k.Lambda, Gamma: k.Gamma, Delta: k.Delta, Tau: k.Tau, Proxies: k.K, Curvature: k.C, Clip: k.R, FreeProxies: k.Free}
		for o.Similarity.String() != k.Similarity {
			if o.Similarity++; o.Similarity > Rescaled {
				t.Fatalf("no similarity is called %q", k.Similarity)
			}
		}
		seen = append(seen, o.Similarity)
		l := NewHyperSoftTriple(k.Classes, k.D, o)
		copy(l.proxies.Value, k.Proxies)
		gu := make([]float32, len(k.X))
		cls, merge, clipped := l.Step(k.X, k.Label, gu, 1)
		checkValues(t, k.Similarity, []float64{cls, merge, clipped}, []float64{k.Cls, k.Merge, k.Clipped})
		checkFloat32(t, k.Similarity+" features", gu, k.GradX)
		checkFloat32(t, k.Similarity+" proxies", l.proxies.Grad, k.GradP)
	}
	for s := Negative; s <= Rescaled; s++ {
		if !slices.Contains(seen, s) {
			t.Errorf("reference.json has no case of %v", s)
		}
	}
}

// TestCHESTReference: with so few proxies the tree takes each triplet once, as
// the reference does.
func TestCHESTReference(t *testing.T) {
	for _, k := range readReference(t).CHEST {
		l := NewCHEST(k.Classes, k.DE, k.DH, CHESTOptions{
			E: SoftTripleOptions{Proxies: k.K}, H: HyperSoftTripleOptions{Curvature: k.C}, Tree: HypHCOptions{LabelAware: k.LabelAware},
		})
		copy(l.e.proxies.Value, k.PE)
		copy(l.h.proxies.Value, k.PH)
		gE, gH := make([]float32, len(k.UE)), make([]float32, len(k.UH))
		got := l.Step(k.UE, k.UH, k.Label, gE, gH, nil)
		checkValues(t, "CHEST", []float64{got.E, got.Merge, got.H, got.Tree, got.Total}, []float64{k.E, k.Merge, k.H, k.Tree, k.Total})
		checkFloat32(t, "CHEST uE", gE, k.GradUE)
		checkFloat32(t, "CHEST uH", gH, k.GradUH)
		checkFloat32(t, "CHEST proxies.E", l.e.proxies.Grad, k.GradPE)
		checkFloat32(t, "CHEST proxies.H", l.h.proxies.Grad, k.GradPH)
	}
}
