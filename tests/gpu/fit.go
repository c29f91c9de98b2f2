package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
)

// vectors is items of a training set: classes about centres.
type vectors struct {
	x     []float32
	label []int
	d     int
}

func newVectors(classes, perClass, d int) *vectors {
	rng := rand.New(rand.NewPCG(1, 2))
	v := &vectors{d: d}
	for y := range classes {
		centre := normal(rng, d, 1)
		for range perClass {
			for _, c := range centre {
				v.x = append(v.x, c+float32(rng.NormFloat64())/2)
			}
			v.label = append(v.label, y)
		}
	}
	return v
}

func (v *vectors) Len() int                        { return len(v.label) }
func (v *vectors) Shape() (c, h, w int)            { return v.d, 1, 1 }
func (v *vectors) Label(i int) int                 { return v.label[i] }
func (v *vectors) Item(dst []float32, i int) error { copy(dst, v.x[i*v.d:(i+1)*v.d]); return nil }

// fit trains with train.On("cuda") and on the processor, and compares.
func fit() error {
	classes, perClass, d, width, dim := 100, 12, 256, 256, 128
	if os.Getenv("CHEST_GPU_SMALL") == "1" {
		classes, perClass, d, width, dim = 8, 8, 12, 16, 8
	}
	src := newVectors(classes, perClass, d)
	for _, trunk := range []string{"identity", "linear", "mlp", "mlp, loss alone"} {
		var all [2]*train.Trainer
		var took [2]time.Duration
		for i, device := range []string{"cpu", "cuda"} {
			o := train.Options{Epochs: 5, Classes: min(classes, 64), PerClass: 4, Seed: 3, Silent: true, Loss: loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}}}
			mo := model.Options{Trunk: trunk, Width: width, DE: dim, DH: dim, Seed: 1}
			if trunk == "mlp, loss alone" {
				mo.Trunk, o.MaxEntry = "mlp", 100 // the GPU's kernels do not cut entries
			}
			m, err := model.New(model.Shape{C: d, H: 1, W: 1}, mo)
			if err != nil {
				return err
			}
			if all[i], err = train.New(m, src, o); err != nil {
				return err
			}
			begin := time.Now()
			if _, err := all[i].Fit(context.Background(), train.On(device)); err != nil {
				return err
			}
			took[i] = time.Since(begin)
		}
		worst := 0.0
		for i, p := range all[0].Model.Params() {
			q := all[1].Model.Params()[i]
			for j, v := range p.Value {
				worst = max(worst, math.Abs(float64(v-q.Value[j])))
			}
		}
		a, b := all[0].History()[4].Loss.Total, all[1].History()[4].Loss.Total
		fmt.Printf("RESULT Fit of 5 epochs of %d steps, trunk %s: weights differ by at most %.2g, loss %.5f and %.5f; processor %.0f ms, GPU %.0f ms with its start\n",
			all[0].Steps(), trunk, worst, a, b, ms(took[0]), ms(took[1]))
		if !(worst < 1e-3) || !(math.Abs(a-b) < 1e-3*a) {
			return fmt.Errorf("trunk %s: the GPU trains something else", trunk)
		}
	}
	return nil
}
