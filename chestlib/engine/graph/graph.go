// Package graph is Gorgonia as the place where research plugs in: losses, trunks
// and optimisers of chestlib as parts of a Gorgonia graph, beside nodes of one's
// own.
//
//	x → nodes of one's own, or Linear, MLP → uE, uH → Loss ─┐
//	                          a term of one's own ──────────┴→ gorgonia.Add → gorgonia.Grad
//
// Loss is one node with the fused step behind it; New is that node alone as an
// engine.Engine. L2Normalize, ExpMap0, Softmax, LogSoftmax, LayerNorm, GELU and
// Linear are nodes whose stock counterparts are missing, slow or wrong. Solver
// moves learnables by an optimiser of chestlib/optim, UseBLAS makes Gorgonia
// multiply by chest's products.
//
// All nodes are float32, as chestlib is. Use the tape machine: Gorgonia's Lisp
// machine needs other methods and has wrong gradients of its own. The value of a
// node here lies in memory of its own that is written again by each run: copy
// what must stay. A graph is run by one goroutine at a time.
//
// Gorgonia is licensed under what its README calls a variant of Apache 2.0: "the
// same as the Apache 2.0 Licence, except not being able to commercially profit
// directly from the package unless you're a Significant Contributor", with use as a
// library in a product being fine. Read it and judge for yourself. The rest of
// chestlib does not need Gorgonia.
package graph

import (
	"gorgonia.org/gorgonia"

	"github.com/chestlab/chest/internal/sgemm"
)

// UseBLAS makes all of Gorgonia, and the tensors below it, multiply float32
// matrices by chest's products, and returns what puts back what was used before:
//
//	defer graph.UseBLAS()()
//
// It is global, as gorgonia.Use is, and must not be called while a graph runs.
func UseBLAS() (restore func()) {
	before := gorgonia.WhichBLAS()
	gorgonia.Use(sgemm.BLAS{})
	return func() { gorgonia.Use(before) }
}
