package train

// Option changes one call of Fit, Epoch or Dispatch.
type Option struct{ device string }

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
	return Option{device}
}

// deviceOf is the device of the last option that says one.
func deviceOf(options []Option) string {
	device := "cpu"
	for _, o := range options {
		if o.device != "" {
			device = o.device
		}
	}
	return device
}
