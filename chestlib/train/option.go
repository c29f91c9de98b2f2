package train

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

// Option changes one call of Fit, Epoch or Dispatch: On, Products.
type Option struct{ device, products string }

// On says where the steps are computed:
//
//	"cpu"       on the processor; the default
//	"cuda"      on the first NVIDIA GPU; "cuda:1" on the second, and so on
//	"auto"      on the GPU, if one works and can compute the run; else on the
//	            processor, and one warning says why; "" is "auto"
//
// With "cuda" what the GPU cannot do is an error before the first step, never a
// silent change to the processor. On a GPU run
//
//	the whole step     the identity, linear and MLP trunks, both heads, the loss with
//	                   its proxies and AdamW, on items that lie on the device
//	the loss alone     any other trunk, items that are drawn at random, and runs with
//	                   Accumulate, Average, Frozen or MaxEntry; the model stays on the processor
//	nothing            losses other than CHEST, optimisers other than AdamW, a soft
//	                   or learned clip, a learned curvature, trees of class means or of
//	                   near triplets
//
// The GPU is opened by the call and given back at its end: some tenths of a second
// each. The numbers are those of the processor up to rounding, the same on each run on
// the same kind of GPU. A checkpoint that was written on one can be gone on from on the
// other.
func On(device string) Option {
	if device == "" {
		device = "auto"
	}
	return Option{device: device}
}

// Products says what multiplies matrices on a GPU:
//
//	"own"     chest's kernels, in float32; the default. Nothing is needed
//	"cublas"  NVIDIA's cuBLAS, in float32
//	"tf32"    cuBLAS on tensor cores: what is multiplied is rounded to 10 bits of
//	          mantissa and summed in float32. Gradients have about three digits
//
// On an H200 a step of two heads with 11,318 classes takes 6.0, 5.0 and 2.5 ms
// (docs/performance.md). cuBLAS is part of CUDA's toolkit and of PyTorch's packages;
// it is looked for in their usual places and at $CHEST_CUBLAS. Where it is not found
// On("cuda") is an error before the first step, and On("auto") takes "own" and
// warns. On the processor Products is an error.
func Products(by string) Option { return Option{products: by} }

// where is what the options of a call come to.
type where struct{ device, products string }

// whereOf takes the last option that says something.
func whereOf(options []Option) where {
	w := where{"cpu", ""}
	for _, o := range options {
		if o.device != "" {
			w.device = o.device
		}
		if o.products != "" {
			w.products = o.products
		}
	}
	return w
}

// policy is the device that w names, or what is wrong with w.
func (w where) policy() (driver.Policy, error) {
	p, err := driver.ParsePolicy(w.device)
	if err != nil {
		return p, fmt.Errorf("train: On: %w", err)
	}
	switch w.products {
	case "", "own", "cublas", "tf32":
	default:
		return p, fmt.Errorf("train: Products(%q); want own, cublas or tf32", w.products)
	}
	if w.products != "" && !p.GPU {
		return p, fmt.Errorf("train: Products(%q) is for a GPU, and the run is on the processor; add On(\"cuda\")", w.products)
	}
	return p, nil
}

// multiply sets what multiplies on d.
func (w where) multiply(d *cuda.Device) error {
	if w.products == "" || w.products == "own" {
		return nil
	}
	if err := d.UseBLAS(w.products == "tf32"); err != nil {
		return fmt.Errorf("Products(%q): %w", w.products, err)
	}
	return nil
}
