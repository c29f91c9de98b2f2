// Package optim changes trainable arrays along their gradients: optimisers for
// flat space and for the Poincaré ball, the learning rate as a function of the
// progress, clipping, and averages of params.
package optim

// Param is one trainable array with its gradient. Layers and losses own their
// params; an optimiser changes Value and clears Grad.
type Param struct {
	Name  string    // unique in a model: "trunk.0.weight", "proxies.E"
	Group string    // rate group: "trunk", "head" or "proxies"
	Shape []int     // rows first; the product is len(Value)
	Value []float32 // row-major
	Grad  []float32 // same length; gradients are added to it
	Plain bool      // true: no weight decay (biases, gains, proxies)

	// Ball is c > 0 when the rows, of Shape's last size, are points of the
	// Poincaré ball of curvature -c. Grad is the Euclidean gradient all the same.
	// Only the Riemannian recipes move such params. 0 means flat space.
	Ball float64
}

// NewParam allocates a param of the given shape, all zero.
func NewParam(name, group string, shape ...int) *Param {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return &Param{Name: name, Group: group, Shape: shape, Value: make([]float32, n), Grad: make([]float32, n)}
}

// ZeroGrad clears the gradient.
func (p *Param) ZeroGrad() { clear(p.Grad) }
