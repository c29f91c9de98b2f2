package cuda

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/engine/cuda/selftest"
)

// Doctor writes to w what there is for training on GPU number ordinal, one line
// a part, and a verdict with what to do. The error is what is in the way, nil if
// the GPU can be used.
//
//	driver      libcuda.so.1, CUDA 13.0                          ok
//	kernel mod  580.95.05                                        ok
//	devices     0: NVIDIA H200, sm_90, 132 SMs, 139.8 GiB        ok
//	kernels     PTX sm_80/7.0 (85c3fe51), compiled in 0.21 s     ok
//	gemm        built-in, float32; no cuBLAS                     ok
//	signals     as before                                        ok
//	self-test   worst difference 3e-07                           ok
//	verdict     GPU training is available
func Doctor(w io.Writer, s driver.System, ordinal int) error {
	r := report{w: w}
	err := r.examine(s, ordinal)
	if err == nil {
		r.line("verdict", "GPU training is available", "")
	} else {
		r.line("verdict", "training runs on the processor", "")
	}
	return errors.Join(err, r.err)
}

// products says what can compute matrix products.
func products(s driver.System, d *driver.Device) string {
	text := "built-in, float32"
	err := d.Do(func() error {
		b, err := d.OpenBLAS(s, false)
		if err != nil {
			return err
		}
		defer b.Close()
		text += fmt.Sprintf("; cuBLAS %s is there: %s", version(b), b.Path)
		return nil
	})
	if err != nil {
		text += "; no cuBLAS"
	}
	return text
}

// report writes lines and keeps the first failure to write.
type report struct {
	w   io.Writer
	err error
}

func (r *report) line(name, text, verdict string) {
	line := fmt.Sprintf("%-11s %-60s %s", name, text, verdict)
	if _, err := fmt.Fprintln(r.w, strings.TrimRight(line, " ")); err != nil && r.err == nil {
		r.err = err
	}
}

// failed writes what an error means and returns it.
func (r *report) failed(name string, err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		r.line(name, err.Error(), "failed")
		return err
	}
	r.line(name, e.Sentence(), "failed")
	for _, more := range []string{e.Remedy(), e.Detail} {
		if more != "" {
			r.line("", more, "")
		}
	}
	return err
}

// examine goes from the driver up and stops where it fails.
func (r *report) examine(s driver.System, ordinal int) error {
	infos, err := s.Devices()
	if err != nil {
		return r.failed("driver", err)
	}
	r.line("driver", fmt.Sprintf("%s, CUDA %v", infos[0].Library, infos[0].Driver), "ok")
	r.line("kernel mod", cmp.Or(s.ModuleVersion(), "its version is not told"), "ok")
	for _, i := range infos {
		r.line("devices", fmt.Sprintf("%d: %v", i.Ordinal, i), "ok")
	}
	d, err := s.Open(ordinal)
	if err != nil {
		return r.failed("device", err)
	}
	defer d.Close()
	set, err := kernels.Load(d)
	if err != nil {
		return r.failed("kernels", err)
	}
	r.line("kernels", fmt.Sprintf("PTX sm_80/7.0 (%s), compiled in %.2f s", kernels.Sum(), set.Module().Took.Seconds()), "ok")
	r.line("gemm", products(s, d), "ok")
	if stolen := d.Info().Signals; len(stolen) > 0 {
		r.line("signals", fmt.Sprintf("the driver took %v; they were put back", stolen), "ok")
	} else {
		r.line("signals", "as before", "ok")
	}
	worst, err := selftest.Quick(set)
	if err != nil {
		return r.failed("self-test", err)
	}
	r.line("self-test", fmt.Sprintf("worst difference %.0e", worst), "ok")
	return nil
}
