// Package cuda runs the CHEST step on an NVIDIA GPU: proxies, the optimiser's
// moments and everything in between stay there; a step uploads the features and
// labels of a batch and downloads the gradients by them.
//
//	d, says, err := cuda.Choose("auto") // the GPU if one works, else why not
//	e, err := cuda.New(l, engine.Options{}, d)
//
// Nothing is needed but the driver: it is looked for at run time, and the kernels
// come with this package. Package driver has the errors, selftest what is tried
// before a GPU is taken, fakecuda what tests run on.
//
// Sums have one order and no atomics: the same GPU gives the same bits.
//
// What has run where: kernels, Engine, HeadTrainer with its graph and its trunks,
// Ranks and cuBLAS on an H200, and in each run of the tests on the fake driver; lost
// contexts, hangs and the kernels as they were changed since (docs/gpu.md) on the latter
// only. tests/gpu is the program for a machine with a GPU. Package train is how a run
// gets here: see train.On.
package cuda

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/engine/cuda/selftest"
)

// Device is a GPU with the kernels loaded, tested.
type Device struct {
	set   *kernels.Set
	worst float64
}

// Open makes GPU number ordinal ready: driver, kernels, and a test of some
// milliseconds. An error is a *driver.Error, with a sentence and a remedy, or that of the
// test.
func Open(ordinal int) (*Device, error) { return OpenOn(driver.System{}, ordinal) }

// OpenOn is Open with the driver looked for in s.
func OpenOn(s driver.System, ordinal int) (*Device, error) {
	d, err := s.Open(ordinal)
	if err != nil {
		return nil, err
	}
	set, err := kernels.Load(d)
	if err != nil {
		return nil, closing(d, err)
	}
	worst, err := selftest.Quick(set)
	if err != nil {
		return nil, closing(d, fmt.Errorf("cuda: the self-test failed: %w", err))
	}
	return &Device{set: set, worst: worst}, nil
}

// closing gives back a device that does not work and returns why.
func closing(d *driver.Device, err error) error {
	_ = d.Close() // err is what there is to tell
	return err
}

// Choose opens what the policy says: "auto", "cpu", "cuda" or "cuda:n". A nil
// device is the processor. says tells what was chosen, and for auto why not the
// GPU, in one line. With cuda a GPU that does not work is an error.
func Choose(policy string) (d *Device, says string, err error) {
	p, err := driver.ParsePolicy(policy)
	if err != nil {
		return nil, "", err
	}
	if !p.GPU {
		return nil, "running on the processor", nil
	}
	d, err = Open(p.Ordinal)
	if err == nil {
		return d, fmt.Sprintf("running on %v", d.Info()), nil
	}
	if p.CPU {
		return nil, fmt.Sprintf("running on the processor: %v", err), nil
	}
	return nil, "", err
}

// Info describes the GPU.
func (d *Device) Info() driver.Info { return d.set.Info() }

// Counters counts launches and copies since Open.
func (d *Device) Counters() driver.Counters { return d.set.Counters() }

// Usage is the state of the GPU's memory.
func (d *Device) Usage() (u driver.Usage) {
	_ = d.set.Do(func() error { u = d.set.Usage(); return nil }) // a lost device has no memory: zeros
	return u
}

// UseBLAS lets NVIDIA's cuBLAS compute the products, if it is found: see
// driver.Device.OpenBLAS. tf32 lets it use tensor cores: points are rounded to 10 bits,
// and the gradients' products have about three digits. It is called
// before engines are made.
func (d *Device) UseBLAS(tf32 bool) error { return d.UseBLASOf(driver.System{}, tf32) }

// UseBLASOf is UseBLAS with the library looked for in s.
func (d *Device) UseBLASOf(s driver.System, tf32 bool) error {
	return d.set.Do(func() error {
		b, err := d.set.OpenBLAS(s, tf32)
		if err != nil {
			return err
		}
		d.dropBLAS()
		d.set.UseBLAS(b)
		return nil
	})
}

// dropBLAS goes back to our own products.
func (d *Device) dropBLAS() {
	if b := d.set.BLAS(); b != nil {
		b.Close()
		d.set.UseBLAS(nil)
	}
}

// Own is what Products says of our own kernels.
const Own = "kernels, float32"

// Products says what computes matrix products: Own, or "cuBLAS 13.0.2, TF32".
func (d *Device) Products() string {
	b := d.set.BLAS()
	if b == nil {
		return Own
	}
	arithmetic := "float32"
	if b.TF32 {
		arithmetic = "TF32"
	}
	return fmt.Sprintf("cuBLAS %s, %s", version(b), arithmetic)
}

// version is that of cuBLAS: "13.0.2".
func version(b *driver.BLAS) string {
	return fmt.Sprintf("%d.%d.%d", b.Version/10000, b.Version/100%100, b.Version%100)
}

// Close gives the GPU back. Engines on it cannot be used any more.
func (d *Device) Close() error {
	_ = d.set.Do(func() error { d.dropBLAS(); return nil }) // Close tells of a lost device
	return d.set.Close()
}

// infinite is the clip radius for none.
var infinite = math.Inf(1)
