// Command twin trains the same network with the same loss in chest and in
// PyTorch: from the same weights, on the same batches, at the same rates. It
// prints how both retrieve characters never seen, as mean ± std over seeds.
//
//	CHEST_DATA=… go run ./tests/twin
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/chestlab/chest/chestlib"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/chestlib/train"
	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/internal/safetensors"
	"github.com/chestlab/chest/viz"
)

var (
	python = flag.String("python", "/usr/bin/python3", "a Python that has torch")
	seeds  = flag.Int("seeds", 5, "trainings of each loss, on both sides")
	epochs = flag.Int("epochs", 12, "epochs of each")
	data   = flag.String("data", "omniglot", "omniglot or blazons")
)

// losses are those that both sides have, with the options that train.py reads:
// the variants that chest study losses chose on Omniglot, see docs/losses.md.
var losses = []struct {
	recipe  loss.Recipe
	options map[string]float64
}{
	{loss.CHESTOptions{Space: loss.OnlyE, E: loss.SoftTripleOptions{Lambda: 5, Proxies: 1}}, map[string]float64{"lambda": 5, "gamma": 0.1, "delta": 0.01, "tau": 0.2}},
	{loss.ProxyAnchorOptions{Alpha: 64}, map[string]float64{"alpha": 64, "delta": 0.1}},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("twin: ")
	flag.Parse()
	split, err := load()
	if err != nil {
		log.Fatal(err)
	}
	t := viz.NewTable(fmt.Sprintf("chest and PyTorch on %s, unseen classes, %d seeds, %d epochs", *data, *seeds, *epochs),
		"loss", "program", "R@1", "MAP@R", "seconds").Percent("R@1", "MAP@R").Decimals(1, "seconds")
	apart := false
	for _, l := range losses {
		var a, b side
		for seed := range *seeds {
			one, two, err := both(split, l.recipe, l.options, uint64(seed+1))
			if err != nil {
				log.Fatalf("%s, seed %d: %v", l.recipe.Name(), seed+1, err)
			}
			a, b = append(a, one), append(b, two)
			fmt.Fprintf(os.Stderr, "%s, seed %d: R@1 chest %.1f, PyTorch %.1f\n", l.recipe.Name(), seed+1, 100*one.At(1), 100*two.At(1))
		}
		t.Row(l.recipe.Name(), "chest", a.r1(), a.mapr(), a.seconds())
		t.Row("", "PyTorch", b.r1(), b.mapr(), b.seconds())
		for _, m := range [][2]viz.Stat{{a.r1(), b.r1()}, {a.mapr(), b.mapr()}} {
			if d := math.Abs(m[0].Mean - m[1].Mean); d > max(m[0].Std, m[1].Std) {
				apart = true
				log.Printf("%s: the means %v and %v are more than one std apart", l.recipe.Name(), m[0], m[1])
			}
		}
	}
	fmt.Println(t)
	if apart {
		os.Exit(1)
	}
}

func load() (*datasets.Split, error) {
	switch *data {
	case "omniglot":
		return datasets.Omniglot("", datasets.OmniglotOptions{})
	case "blazons":
		return datasets.Blazons(datasets.BlazonsOptions{})
	}
	return nil, fmt.Errorf("-data %q; want omniglot or blazons", *data)
}

// outcome is one training's retrieval and time.
type outcome struct {
	metric.Result
	spent float64
}

// side is the outcomes of a program.
type side []outcome

func (s side) stat(f func(outcome) float64) viz.Stat {
	var all []float64
	for _, o := range s {
		all = append(all, f(o))
	}
	return viz.MeanStd(all...)
}
func (s side) r1() viz.Stat      { return s.stat(func(o outcome) float64 { return o.At(1) }) }
func (s side) mapr() viz.Stat    { return s.stat(func(o outcome) float64 { return o.MAPR }) }
func (s side) seconds() viz.Stat { return s.stat(func(o outcome) float64 { return o.spent }) }

// plan is what train.py reads beside arrays.
type plan struct {
	Loss      string             `json:"loss"`
	Options   map[string]float64 `json:"options"`
	Classes   int                `json:"classes"`
	Depth     int                `json:"depth"`
	Threads   int                `json:"threads"`
	Rate      float64            `json:"rate"`
	ProxyRate float64            `json:"proxyRate"`
	Decay     float64            `json:"decay"`
	MaxNorm   float64            `json:"maxNorm"`
	Batches   [][]int            `json:"batches"`
}

// both trains in PyTorch and in chest.
func both(split *datasets.Split, recipe loss.Recipe, options map[string]float64, seed uint64) (chest, torch outcome, err error) {
	m, err := chestlib.NewModel(split.Train, chestlib.ModelOptions{Trunk: "conv", DE: 64, DH: 64, Seed: seed})
	if err != nil {
		return chest, torch, err
	}
	o := chestlib.TrainOptions{Epochs: *epochs, Classes: 32, PerClass: 2, Rate: 6e-3, ProxyRate: 1, Decay: 1e-2, MaxNorm: 10, Seed: seed, Silent: true, Loss: recipe}
	tr, err := chestlib.NewTrainer(m, split.Train, o)
	if err != nil {
		return chest, torch, err
	}
	sampler, err := train.NewSampler(split.Train, o.Classes, o.PerClass, seed)
	if err != nil {
		return chest, torch, err
	}
	p := plan{recipe.Name(), options, sampler.Classes(), m.Options().Depth, runtime.GOMAXPROCS(0), o.Rate, o.ProxyRate, o.Decay, o.MaxNorm, nil}
	for e := range o.Epochs {
		for _, b := range sampler.Epoch(e) {
			p.Batches = append(p.Batches, b.Items)
		}
	}
	if torch, err = inTorch(split, m, tr, p); err != nil {
		return chest, torch, err
	}
	history, err := tr.Fit(context.Background())
	if err != nil {
		return chest, torch, err
	}
	for _, e := range history {
		chest.spent += e.Seconds
	}
	s, err := chestlib.Evaluate(context.Background(), m, split.Test)
	chest.Result = s.E
	return chest, torch, err
}

// inTorch writes a folder for train.py, runs it, and measures what it embedded.
func inTorch(split *datasets.Split, m *chestlib.Model, tr *chestlib.Trainer, p plan) (o outcome, err error) {
	dir, err := os.MkdirTemp("", "chest-twin-*")
	if err != nil {
		return o, err
	}
	defer os.RemoveAll(dir)
	init := m.Tensors()
	for _, q := range tr.Loss.Params() {
		init = append(init, safetensors.Tensor{Name: "loss/" + q.Name, Shape: q.Shape, F32: q.Value})
	}
	text, err := json.Marshal(p)
	if err != nil {
		return o, err
	}
	if err := os.WriteFile(filepath.Join(dir, "plan.json"), text, 0o666); err != nil {
		return o, err
	}
	items := []safetensors.Tensor{images("train", split.Train), images("test", split.Test), labelsOf(split.Train)}
	for name, tensors := range map[string][]safetensors.Tensor{"init": init, "items": items} {
		if err := write(filepath.Join(dir, name+".safetensors"), tensors); err != nil {
			return o, err
		}
	}
	script := exec.Command(*python, filepath.Join("tests", "twin", "train.py"), dir)
	script.Stderr = os.Stderr
	out, err := script.Output()
	if err != nil {
		return o, fmt.Errorf("train.py: %w", err)
	}
	var found struct{ Seconds float64 }
	if err := json.Unmarshal(out, &found); err != nil {
		return o, fmt.Errorf("train.py printed %.80q: %w", out, err)
	}
	e := make([]float32, split.Test.Len()*m.Options().DE)
	f, err := os.Open(filepath.Join(dir, "embedding.f32"))
	if err != nil {
		return o, err
	}
	defer f.Close()
	if err := binary.Read(f, binary.LittleEndian, e); err != nil {
		return o, fmt.Errorf("embedding.f32: %w", err)
	}
	o.spent = found.Seconds
	o.Result, err = metric.Retrieval(context.Background(), e, split.Test.Labels, m.Options().DE, metric.Options{Ks: []int{1}})
	return o, err
}

// images is a set as one array.
func images(name string, s *datasets.Set) safetensors.Tensor {
	c, h, w := s.Shape()
	return safetensors.Tensor{Name: name, Shape: []int{s.Len(), c, h, w}, F32: s.Floats()}
}

func labelsOf(s *datasets.Set) safetensors.Tensor {
	t := safetensors.Tensor{Name: "label", Shape: []int{s.Len()}, I64: make([]int64, s.Len())}
	for i, y := range s.Labels {
		t.I64[i] = int64(y)
	}
	return t
}

func write(path string, tensors []safetensors.Tensor) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = safetensors.Write(io.Writer(f), nil, tensors)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
