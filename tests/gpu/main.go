// Command gpu checks and measures the CUDA engine on a machine with a GPU. It is
// built elsewhere (sh tests/gpu/build.sh DIR) and needs nothing there but the
// driver:
//
//	gpu check     driver, devices, kernels, every kernel against plain Go
//	gpu kernels   times of the kernels at the size of Stanford Online Products
//	gpu step      the whole step against the processor's, and its time at that size
//	gpu fit       train.Fit with On("cuda") against the processor's, on each trunk
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
	"github.com/chestlab/chest/chestlib/engine/cuda/selftest"
)

func main() {
	commands := map[string]func() error{
		"check":   func() error { return run(check) },
		"kernels": func() error { return run(benchKernels) },
		"step":    step,
		"fit":     fit,
	}
	if len(os.Args) != 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: gpu check|kernels|step|fit")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](); err != nil {
		fmt.Fprintln(os.Stderr, "gpu:", err)
		os.Exit(1)
	}
}

func run(command func(*kernels.Set) error) error {
	begin := time.Now()
	d, err := driver.Open(0)
	if err != nil {
		return err
	}
	defer d.Close()
	opened := time.Since(begin)
	s, err := kernels.Load(d)
	if err != nil {
		return err
	}
	i := d.Info()
	fmt.Printf("%v; CUDA %v by %s; signals put back: %v; opened in %.0f ms, PTX %s compiled in %.0f ms\n",
		i, i.Driver, i.Library, i.Signals, ms(opened), kernels.Sum(), ms(s.Module().Took))
	return command(s)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// check runs every case of the self-test and goes on after a failure.
func check(s *kernels.Set) error {
	begin, failed, worst := time.Now(), 0, 0.0
	cases := selftest.Cases()
	for _, c := range cases {
		w, err := c.Run(s)
		if err != nil {
			failed++
			fmt.Println("FAIL", err)
			var e *driver.Error
			if errors.As(err, &e) && e.Lost() {
				return err
			}
		}
		worst = max(worst, w)
	}
	u := s.Usage()
	fmt.Printf("kernels: %d cases, %d failed, worst difference %.2g, %.0f ms, memory left %d\n", len(cases), failed, worst, ms(time.Since(begin)), u.Live)
	if failed > 0 {
		return fmt.Errorf("%d cases failed", failed)
	}
	return nil
}
