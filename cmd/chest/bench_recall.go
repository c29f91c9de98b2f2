package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/metric"
)

func benchRecall(f *benchFlags) *cobra.Command {
	sizes := []size{{"n", 10000}, {"dim", 128}, {"classes", 1000}}
	var write string
	var ball bool
	c := &cobra.Command{
		Use:   "recall",
		Short: "Retrieval: Recall@1, 10, 100, 1000, R-Precision and MAP@R of n items",
		Long: `Retrieval of n items among each other: Recall@1, 10, 100 and 1000, R-Precision
and MAP@R. gflops counts the products of all pairs. The items lie around random
centres of their classes; --write writes them as raw float32 and int32 labels.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := sizesOf(sizes)
			if err != nil {
				return err
			}
			return f.measure(cmd.Context(), func() (work, error) { return recallWork(cmd.Context(), sizes, n, ball, write) })
		},
	}
	addSizes(c, sizes, map[string]string{"n": "items", "dim": "dimensions", "classes": "classes"})
	c.Flags().BoolVar(&ball, "hyperbolic", false, "by distance in the ball instead of cosine")
	c.Flags().StringVar(&write, "write", "", "write the items to this file, the labels to FILE.labels")
	return c
}

// recallWork is retrieval of items around centres, as embeddings lie half-way
// through training.
func recallWork(ctx context.Context, sizes []size, n map[string]int, ball bool, write string) (work, error) {
	rows, dim, classes := n["n"], n["dim"], n["classes"]
	rng := rand.New(rand.NewPCG(1, 2))
	centres := make([]float32, classes*dim)
	for i := range centres {
		centres[i] = float32(rng.NormFloat64())
	}
	x, label := make([]float32, rows*dim), make([]int, rows)
	scale := float32(0.5 / math.Sqrt(float64(dim)))
	for i := range rows {
		label[i] = i % classes
		for k := range dim {
			x[i*dim+k] = scale * (centres[label[i]*dim+k] + 2*float32(rng.NormFloat64()))
		}
	}
	if write != "" {
		if err := writeItems(write, x, label); err != nil {
			return work{}, err
		}
	}
	o := metric.Options{Ks: []int{1, 10, 100, 1000}}
	if ball {
		o.Space, o.Curvature = metric.Hyperbolic, 0.1
	}
	w := work{name: "recall", sizes: sizes, flops: 2 * float64(rows) * float64(rows) * float64(dim), more: make([]quantity, len(o.Ks))}
	w.run = func() error {
		r, err := metric.Retrieval(ctx, x, label, dim, o)
		for i, k := range r.Ks {
			w.more[i] = quantity{fmt.Sprintf("recall_%d", k), r.Recall[i]}
		}
		return err
	}
	return w, nil
}

// writeItems writes raw little-endian numbers for other programs.
func writeItems(path string, x []float32, label []int) error {
	labels := make([]int32, len(label))
	for i, l := range label {
		labels[i] = int32(l)
	}
	for _, v := range []struct {
		path string
		data any
	}{{path, x}, {path + ".labels", labels}} {
		out, err := os.Create(v.path)
		if err != nil {
			return err
		}
		if err := binary.Write(out, binary.LittleEndian, v.data); err != nil {
			out.Close()
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	return nil
}
