// Package kernels holds the GPU's code, as PTX that the driver compiles for the
// device, and one method for each kernel to launch it. What a kernel computes is
// told where it is written, in the .cu files; package ref has each in plain Go.
//
// PTX is of version 7.0 for sm_80: drivers for CUDA 11.0 and newer take it, and
// every GPU since Ampere runs it.
package kernels

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

//go:generate sh generate.sh

// PTX is the kernels, compiled.
//
//go:embed chest.ptx
var PTX string

// Sources are the files that PTX was made from.
//
//go:embed *.cu *.h
var Sources embed.FS

// Sum is the checksum of PTX, for records: its first 8 hexadecimal digits.
func Sum() string {
	s := sha256.Sum256([]byte(PTX))
	return hex.EncodeToString(s[:4])
}

// Set launches kernels on a device. Its methods queue work and are called
// inside of the device's Do.
type Set struct {
	*driver.Device
	module *driver.Module
	blas   *driver.BLAS
}

// Load compiles the kernels for a device.
func Load(d *driver.Device) (*Set, error) {
	s := &Set{Device: d}
	err := d.Do(func() error {
		var err error
		s.module, err = d.Load(PTX)
		return err
	})
	return s, err
}

// Module is the compiled module.
func (s *Set) Module() *driver.Module { return s.module }

// launch queues a kernel.
func (s *Set) launch(name string, grid driver.Grid, threads int, args ...any) error {
	return s.Launch(s.module.Kernel(name), grid, threads, args...)
}

// blocks is how many blocks of size take n.
func blocks(n, size int) int { return (n + size - 1) / size }

// line is a grid of n blocks.
func line(n int) driver.Grid { return driver.Grid{X: n, Y: 1, Z: 1} }
