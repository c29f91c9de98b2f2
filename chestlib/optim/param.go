// Package optim changes trainable arrays along their gradients.
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
