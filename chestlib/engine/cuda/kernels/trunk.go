package kernels

import "github.com/chestlab/chest/chestlib/engine/cuda/driver"

// Norm is LayerNorm of n rows of d. Mean and Root have a float64 for each row.
type Norm struct {
	X, Gain, Bias driver.Memory
	N, D          int
	Eps           float64
	Mean, Root    driver.Memory
}

// LayerNorm writes the rows to y, and Mean and Root.
func (s *Set) LayerNorm(l Norm, y driver.Memory) error {
	return s.launch("layer_norm", line(blocks(l.N, 4)), 128, l.X, l.Gain, l.Bias, l.N, l.D, l.Eps, y, l.Mean, l.Root)
}

// LayerNormRows writes the gradient by X, given that by the result, to dst, or
// adds it.
func (s *Set) LayerNormRows(l Norm, dst driver.Memory, add bool, gy driver.Memory) error {
	return s.launch("layer_norm_rows", line(blocks(l.N, 4)), 128, dst, flag(add), l.X, l.Mean, l.Root, l.Gain, gy, l.N, l.D)
}

// LayerNormColumns writes the gradients by Gain and Bias.
func (s *Set) LayerNormColumns(l Norm, gain, bias, gy driver.Memory) error {
	return s.launch("layer_norm_columns", line(blocks(l.D, 32)), 512, gain, bias, l.X, l.Mean, l.Root, gy, l.N, l.D)
}

// GELU writes x Φ(x) of n floats to y.
func (s *Set) GELU(y, x driver.Memory, n int) error {
	return s.launch("gelu", line(blocks(n, 256)), 256, y, x, int64(n))
}

// GELURows writes the gradient by x, given that by the result, to dst, or adds it.
func (s *Set) GELURows(dst driver.Memory, add bool, x, gy driver.Memory, n int) error {
	return s.launch("gelu_rows", line(blocks(n, 256)), 256, dst, flag(add), x, gy, int64(n))
}
