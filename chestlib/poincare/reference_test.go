package poincare

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// reference is testdata/reference.json, made by testdata/reference.py.
type reference struct {
	Cases []struct {
		C, T, Distance, Distance0                                       float64
		X, Y, V, G                                                      []float64
		MobiusAdd                                                       []float64 `json:"mobius_add"`
		MobiusScale                                                     []float64 `json:"mobius_scale"`
		ExpMap0, LogMap0, ExpMap, LogMap, Geodesic, Gyration, Transport []float64
		DistanceGradX                                                   []float64 `json:"distance_grad_x"`
		DistanceGradY                                                   []float64 `json:"distance_grad_y"`
		Distance0Grad                                                   []float64 `json:"distance0_grad"`
		MobiusAddGradX                                                  []float64 `json:"mobius_add_grad_x"`
		MobiusAddGradY                                                  []float64 `json:"mobius_add_grad_y"`
		MobiusScaleGrad                                                 []float64 `json:"mobius_scale_grad"`
		ExpMap0Grad                                                     []float64 `json:"expmap0_grad"`
		LogMap0Grad                                                     []float64 `json:"logmap0_grad"`
		ExpMapGradX                                                     []float64 `json:"expmap_grad_x"`
		ExpMapGradV                                                     []float64 `json:"expmap_grad_v"`
		LogMapGradX                                                     []float64 `json:"logmap_grad_x"`
		LogMapGradY                                                     []float64 `json:"logmap_grad_y"`
		GeodesicGradX                                                   []float64 `json:"geodesic_grad_x"`
		GeodesicGradY                                                   []float64 `json:"geodesic_grad_y"`
	}
	Means []struct {
		C      float64
		Points [][]float64
		Mean   []float64
	}
}

func readReference(t *testing.T) (r reference) {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Cases) == 0 || len(r.Means) == 0 {
		t.Fatal("reference.json is empty")
	}
	return r
}

// apart returns ‖got-want‖ / max(1, ‖want‖).
func apart(got, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	return math.Sqrt(squaredDistance(got, want)) / max(1, norm(want))
}

// TestReference: every operation and gradient to 1e-9 of the 50-digit values,
// up to s‖x‖ = 1-1e-6.
func TestReference(t *testing.T) {
	for _, k := range readReference(t).Cases {
		c, x, y, v, g, d := k.C, k.X, k.Y, k.V, k.G, len(k.X)
		pair := func(f func(gx, gy []float64)) (gx, gy []float64) {
			gx, gy = make([]float64, d), make([]float64, d)
			f(gx, gy)
			return gx, gy
		}
		dx, dy := pair(func(gx, gy []float64) { DistanceGrad(gx, gy, x, y, c, 1) })
		d0, _ := pair(func(gx, _ []float64) { Distance0Grad(gx, x, c, 1) })
		ax, ay := pair(func(gx, gy []float64) { MobiusAddGrad(gx, gy, x, y, c, g) })
		ex, ev := pair(func(gx, gy []float64) { ExpMapGrad(gx, gy, x, v, c, g) })
		lx, ly := pair(func(gx, gy []float64) { LogMapGrad(gx, gy, x, y, c, g) })
		ox, oy := pair(func(gx, gy []float64) { GeodesicGrad(gx, gy, x, y, k.T, c, g) })
		for _, r := range []struct {
			name      string
			got, want []float64
		}{
			{"MobiusAdd", MobiusAdd(nil, x, y, c), k.MobiusAdd},
			{"MobiusScale", MobiusScale(nil, k.T, x, c), k.MobiusScale},
			{"Distance", []float64{Distance(x, y, c)}, []float64{k.Distance}},
			{"Distances", Distances(nil, x, y, d, c), []float64{k.Distance}},
			{"Distance0", []float64{Distance0(x, c)}, []float64{k.Distance0}},
			{"ExpMap0", ExpMap0(nil, v, c), k.ExpMap0},
			{"LogMap0", LogMap0(nil, x, c), k.LogMap0},
			{"ExpMap", ExpMap(nil, x, v, c), k.ExpMap},
			{"LogMap", LogMap(nil, x, y, c), k.LogMap},
			{"Geodesic", Geodesic(nil, x, y, k.T, c), k.Geodesic},
			{"Gyration", Gyration(nil, x, y, g, c), k.Gyration},
			{"Transport", Transport(nil, x, y, v, c), k.Transport},
			{"DistanceGrad x", dx, k.DistanceGradX},
			{"DistanceGrad y", dy, k.DistanceGradY},
			{"Distance0Grad", d0, k.Distance0Grad},
			{"MobiusAddGrad x", ax, k.MobiusAddGradX},
			{"MobiusAddGrad y", ay, k.MobiusAddGradY},
			{"MobiusScaleGrad", MobiusScaleGrad(nil, k.T, x, g, c), k.MobiusScaleGrad},
			{"ExpMap0Grad", ExpMap0Grad(nil, v, g, c), k.ExpMap0Grad},
			{"LogMap0Grad", LogMap0Grad(nil, x, g, c), k.LogMap0Grad},
			{"ExpMapGrad x", ex, k.ExpMapGradX},
			{"ExpMapGrad v", ev, k.ExpMapGradV},
			{"LogMapGrad x", lx, k.LogMapGradX},
			{"LogMapGrad y", ly, k.LogMapGradY},
			{"GeodesicGrad x", ox, k.GeodesicGradX},
			{"GeodesicGrad y", oy, k.GeodesicGradY},
		} {
			if e := apart(r.got, r.want); !(e <= 1e-9) {
				t.Errorf("%s, c=%g, x=%v, y=%v:\ngot  %v\nwant %v\napart by %.2g", r.name, c, x, y, r.got, r.want, e)
			}
		}
	}
}

func TestFrechetMeanReference(t *testing.T) {
	for _, k := range readReference(t).Means {
		var x []float64
		for _, p := range k.Points {
			x = append(x, p...)
		}
		if got := FrechetMean(x, len(k.Mean), k.C); apart(got, k.Mean) > 1e-9 {
			t.Errorf("c=%g: got %v, want %v", k.C, got, k.Mean)
		}
	}
}
