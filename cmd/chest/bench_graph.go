package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/chestlab/chest/chestlib/engine"
	"github.com/chestlab/chest/chestlib/engine/graph"
	"github.com/chestlab/chest/chestlib/engine/graph/stock"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
)

// stockLimit is how many similarities the graph of stock nodes is measured at
// without being asked for: it takes 4 GB for six millions.
const stockLimit = 1 << 20

func benchGraph(f *benchFlags) *cobra.Command {
	sizes := slices.Clone(stepSizes)
	var force bool
	c := &cobra.Command{
		Use:   "graph",
		Short: "The step of chest bench step as a Gorgonia graph, beside the fused engine",
		Long: `The step of chest bench step as a Gorgonia graph: heads as linear nodes, the
loss as one node, gradients by gorgonia.Grad, AdamW. median_ms is its time; fused_ms
is that of the engine without Gorgonia, stock_ms that of the same loss written in
Gorgonia's own nodes with its own Adam, stock_blas_ms the same with chest's products.
They run in turns; graph_by_fused and stock_by_graph are ratios of medians.

Without --classes and --proxies it measures both standard sizes, 100 classes of 10
and 11,318 of 2. The stock graph is left out where the batch has more than a million
similarities: it takes 1.4 s and 4 GB a step at 11,318 classes; --stock measures it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			runs := [][]size{sizes}
			if !cmd.Flags().Changed("classes") && !cmd.Flags().Changed("proxies") {
				runs = append(runs, withSizes(sizes, map[string]int{"classes": 11318, "proxies": 2}))
			}
			for _, sizes := range runs {
				n, err := sizesOf(sizes)
				if err != nil {
					return err
				}
				if err := f.compare(cmd.Context(), sizes, n, force); err != nil {
					return err
				}
			}
			return nil
		},
	}
	addSizes(c, sizes, stepHelp)
	c.Flags().BoolVar(&force, "stock", false, "measure the graph of stock nodes at any size")
	return c
}

// withSizes is sizes with other values.
func withSizes(sizes []size, values map[string]int) []size {
	sizes = slices.Clone(sizes)
	for i, s := range sizes {
		if v, ok := values[s.name]; ok {
			sizes[i].value = v
		}
	}
	return sizes
}

// rival is one way to compute the step.
type rival struct {
	name  string
	run   func() error
	times []time.Duration
	spent time.Duration
}

func (r rival) median() time.Duration {
	return (r.times[len(r.times)/2] + r.times[(len(r.times)-1)/2]) / 2
}

// mostRounds is how often the rivals take turns, if there are runs enough.
const mostRounds = 8

// compare measures all rivals in turns and prints what they took.
func (f *benchFlags) compare(ctx context.Context, sizes []size, n map[string]int, force bool) error {
	if err := f.prepare(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	fused, err := stepWork(sizes, n)
	if err != nil {
		return failed(fmt.Errorf("bench: %w", err))
	}
	rivals, err := graphRivals(n, force)
	if err != nil {
		return failed(fmt.Errorf("bench: %w", err))
	}
	rivals = append([]rival{{name: "fused", run: fused.run}}, rivals...)
	rounds, part := min(mostRounds, f.runs), *f
	part.seconds /= float64(rounds)
	for round := range rounds {
		part.runs = (round+1)*f.runs/rounds - round*f.runs/rounds
		for i := range rivals {
			times, spent, err := part.times(ctx, rivals[i].run)
			if err != nil {
				return failed(fmt.Errorf("bench: %s: %w", rivals[i].name, err))
			}
			rivals[i].times = append(rivals[i].times, times...)
			rivals[i].spent += spent / time.Duration(rounds)
		}
	}
	for i := range rivals {
		slices.Sort(rivals[i].times)
	}
	graph := rivals[1]
	ms := func(r rival) float64 { return float64(r.median()) / float64(time.Millisecond) }
	more := []quantity{{"fused_ms", ms(rivals[0])}, {"graph_by_fused", ms(graph) / ms(rivals[0])}}
	for _, r := range rivals[2:] {
		more = append(more, quantity{r.name + "_ms", ms(r)}, quantity{r.name + "_by_graph", ms(r) / ms(graph)})
	}
	w := work{name: "graph", sizes: sizes, flops: fused.flops, more: more}
	return failed(f.print(os.Stdout, w, graph.times, graph.spent))
}

// graphRivals are the steps by Gorgonia.
func graphRivals(n map[string]int, force bool) ([]rival, error) {
	runtime.GC()
	node, err := nodeStep(n)
	if err != nil {
		return nil, err
	}
	rivals := []rival{{name: "graph", run: node}}
	if n["batch"]*n["classes"]*n["proxies"] > stockLimit && !force {
		return rivals, nil
	}
	plain, err := stockStep(n)
	if err != nil {
		return nil, err
	}
	return append(rivals, rival{name: "stock", run: plain}, rival{name: "stock_blas", run: func() error {
		defer graph.UseBLAS()()
		return plain()
	}}), nil
}

// inputs are the items of a step, their classes, and the loss.
func inputs(n map[string]int) (x []float32, label []int, l *loss.CHEST, rng *rand.Rand) {
	rng = rand.New(rand.NewPCG(1, 2))
	x, label = make([]float32, n["batch"]*n["din"]), make([]int, n["batch"])
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range label {
		label[i] = rng.IntN(n["classes"])
	}
	return x, label, loss.NewCHEST(n["classes"], n["dim"], n["dim"], stepLoss(n)), rng
}

// matrixOf is a node with the numbers of x.
func matrixOf(g *gorgonia.ExprGraph, name string, x []float32, rows int) *gorgonia.Node {
	shape := []int{rows, len(x) / rows}
	return gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName(name), gorgonia.WithShape(shape...),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))))
}

// nodeStep is the step with the loss as one node.
func nodeStep(n map[string]int) (func() error, error) {
	x, label, l, rng := inputs(n)
	g := gorgonia.NewGraph()
	items := matrixOf(g, "x", x, n["batch"])
	uE, weights, err := graph.NewLinear(items, "head.E", n["dim"], 0, rng)
	if err != nil {
		return nil, err
	}
	uH, more, err := graph.NewLinear(items, "head.H", n["dim"], 0.005, rng)
	if err != nil {
		return nil, err
	}
	weights = append(weights, more...)
	o := engine.Options{Common: optim.Common{Groups: stepGroups}}
	term, err := graph.Loss(uE, uH, l, loss.Setting{}, o)
	if err != nil {
		return nil, err
	}
	if _, err := gorgonia.Grad(term.Node, weights...); err != nil {
		return nil, err
	}
	vm := gorgonia.NewTapeMachine(g)
	solver := graph.NewSolver(graph.SolverOptions{Rate: stepMove.Rate, Common: o.Common})
	return func() error {
		defer vm.Reset()
		term.Batch(label, rng)
		if err := vm.RunAll(); err != nil {
			return err
		}
		if err := solver.Step(gorgonia.NodesToValueGrads(weights)); err != nil {
			return err
		}
		return term.Update(stepMove)
	}, nil
}

// stockStep is the step of Gorgonia's own nodes.
func stockStep(n map[string]int) (func() error, error) {
	x, label, l, rng := inputs(n)
	g := gorgonia.NewGraph()
	items := matrixOf(g, "x", x, n["batch"])
	var weights gorgonia.Nodes
	head := func(name string, std float64) (*gorgonia.Node, error) {
		w := make([]float32, n["din"]*n["dim"])
		for i := range w {
			w[i] = float32(std * rng.NormFloat64())
		}
		weight, bias := matrixOf(g, name+".weight", w, n["din"]), matrixOf(g, name+".bias", make([]float32, n["dim"]), 1)
		weights = append(weights, weight, bias)
		u, err := gorgonia.Mul(items, weight)
		if err != nil {
			return nil, err
		}
		return gorgonia.BroadcastAdd(u, bias, nil, []byte{0})
	}
	uE, err := head("head.E", 0.05)
	if err != nil {
		return nil, err
	}
	uH, err := head("head.H", 0.005)
	if err != nil {
		return nil, err
	}
	c, err := stock.New(uE, uH, l)
	if err != nil {
		return nil, err
	}
	weights = append(weights, c.Proxies...)
	if _, err := gorgonia.Grad(c.Node, weights...); err != nil {
		return nil, err
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(weights...))
	solver := gorgonia.NewAdamSolver(gorgonia.WithLearnRate(stepMove.Rate))
	return func() error {
		defer vm.Reset()
		if err := c.Batch(label, rng); err != nil {
			return err
		}
		if err := vm.RunAll(); err != nil {
			return err
		}
		return solver.Step(gorgonia.NodesToValueGrads(weights))
	}, nil
}
