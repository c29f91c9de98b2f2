package driver

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"
)

// BLAS is NVIDIA's cuBLAS, where it is installed: its matrix products are
// faster than those of our kernels. It works on the device's stream.
type BLAS struct {
	d       *Device
	fn      [blasProcs]uintptr
	handle  uintptr
	work    Memory
	scalars [2]float32 // alpha and beta of a call

	Path    string
	Version int  // 130002 is 13.0.2
	TF32    bool // products of operands rounded to 10 bits, summed in float32
}

type blasProc int

const (
	blasCreate blasProc = iota
	blasDestroy
	blasGetVersion
	blasSetStream
	blasSetWorkspace
	blasSetMathMode
	blasSgemm
	blasProcs
)

var blasSymbols = [blasProcs]string{"cublasCreate_v2", "cublasDestroy_v2", "cublasGetVersion_v2", "cublasSetStream_v2", "cublasSetWorkspace_v2", "cublasSetMathMode", "cublasSgemm_v2"}

// blasPlaces are directories and patterns where toolkits and Python's wheels
// keep the library. ~ is the home, $X the value of a variable.
var blasPlaces = []string{
	"usr/local/cuda*/lib64", "usr/local/cuda*/targets/*/lib", "opt/cuda/lib64", "usr/lib/*-linux-gnu",
	"$CONDA_PREFIX/lib", "$VIRTUAL_ENV/lib/python3*/site-packages/nvidia/cu13/lib", "$VIRTUAL_ENV/lib/python3*/site-packages/nvidia/cublas/lib",
	"usr/lib/python3*/*-packages/nvidia/*/lib", "usr/local/lib/python3*/*-packages/nvidia/*/lib",
	"opt/*/.venv/lib/python3*/site-packages/nvidia/*/lib", "opt/*/lib/python3*/site-packages/nvidia/*/lib",
}

// blasCandidates are the libraries to try, for CUDA up to major, newest first.
func (s System) blasCandidates(major int) (all []string) {
	if given := s.env("CHEST_CUBLAS"); given != "" {
		return []string{given}
	}
	for v := min(major, 13); v >= 11; v-- {
		name := fmt.Sprintf("libcublas.so.%d", v)
		if s.Root == "" {
			all = append(all, name)
		}
		for _, p := range blasPlaces {
			variable, rest, _ := strings.Cut(p, "/")
			if name, ok := strings.CutPrefix(variable, "$"); ok {
				if s.env(name) == "" {
					continue
				}
				p = filepath.Join(s.env(name), rest)
			}
			found, _ := filepath.Glob(s.path(filepath.Join(p, name))) // the patterns are sound
			slices.Sort(found)
			all = append(all, found...)
		}
	}
	return all
}

// OpenBLAS looks for cuBLAS: $CHEST_CUBLAS, then what the loader knows, then
// toolkits and Python's packages. It must be of the driver's CUDA or older.
func (d *Device) OpenBLAS(s System, tf32 bool) (*BLAS, error) {
	guard := saveSignals()
	defer func() {
		guard.restore()
		d.info.Signals = append(d.info.Signals, guard.changed...)
	}()
	var first error
	for _, path := range s.blasCandidates(int(d.info.Driver) / 1000) {
		b, err := d.loadBLAS(path, tf32)
		if err == nil {
			return b, nil
		}
		if first == nil || strings.Contains(path, "/") {
			first = err
		}
	}
	if first == nil {
		return nil, fmt.Errorf("cuda: no cuBLAS for CUDA %v found; set CHEST_CUBLAS to its libcublas.so", d.info.Driver)
	}
	return nil, fmt.Errorf("cuda: no cuBLAS for CUDA %v: %w", d.info.Driver, first)
}

// loadBLAS loads the library at path and makes a handle.
func (d *Device) loadBLAS(path string, tf32 bool) (*BLAS, error) {
	// Its own search for this part loses against LD_LIBRARY_PATH: load it first,
	// from the same directory.
	if part := strings.Replace(path, "libcublas.so", "libcublasLt.so", 1); part != path && (!strings.Contains(path, "/") || exists(part)) {
		if _, err := openGlobal(part); err != nil {
			return nil, err
		}
	}
	lib, err := openGlobal(path)
	if err != nil {
		return nil, err
	}
	b := &BLAS{d: d, Path: path, TF32: tf32}
	for p, name := range blasSymbols {
		if b.fn[p] = findSymbol(lib, name); b.fn[p] == 0 {
			return nil, fmt.Errorf("%s has no %s", path, name)
		}
	}
	if err := b.call(blasCreate, uintptr(unsafe.Pointer(&b.handle))); err != nil {
		return nil, err
	}
	if err := b.prepare(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// prepare sets the stream, a workspace of its own, so that sums have one order
// and graphs may be recorded, and the arithmetic.
func (b *BLAS) prepare() error {
	const plain, tf32, size = 0, 3, 32 << 20
	var version int32
	var err error
	if err = b.call(blasGetVersion, b.handle, uintptr(unsafe.Pointer(&version))); err != nil {
		return err
	}
	b.Version = int(version)
	if err = b.call(blasSetStream, b.handle, b.d.stream); err != nil {
		return err
	}
	if b.work, err = b.d.Alloc(size); err != nil {
		return err
	}
	if err = b.call(blasSetWorkspace, b.handle, uintptr(b.work.Address), size); err != nil {
		return err
	}
	mode := uintptr(plain)
	if b.TF32 {
		mode = tf32
	}
	return b.call(blasSetMathMode, b.handle, mode)
}

// Close frees the handle.
func (b *BLAS) Close() {
	_ = b.call(blasDestroy, b.handle) // nothing can be done about it
	b.d.Free(b.work)
	b.work = Memory{}
}

//go:uintptrescapes
func (b *BLAS) call(p blasProc, args ...uintptr) error {
	if code := callSymbol(b.fn[p], args...); code != 0 {
		return fmt.Errorf("cuda: %s failed with status %d (%s)", blasSymbols[p], code, b.Path)
	}
	return nil
}

// Sgemm queues the row-major C = alpha op(A) op(B) + beta C: C is m×n, the depth
// is k, flipA and flipB say that an operand is given transposed.
func (b *BLAS) Sgemm(flipA, flipB bool, m, n, k int, alpha float32, A Memory, lda int, B Memory, ldb int, beta float32, C Memory, ldc int) error {
	op := func(flip bool) uintptr {
		if flip {
			return 1
		}
		return 0
	}
	b.scalars = [2]float32{alpha, beta}
	b.d.counts.Launches++
	// Column by column it is Cᵀ = op(B)ᵀ op(A)ᵀ, and rows of ours are columns there.
	return b.call(blasSgemm, b.handle, op(flipB), op(flipA), uintptr(n), uintptr(m), uintptr(k), uintptr(unsafe.Pointer(&b.scalars[0])),
		uintptr(B.Address), uintptr(ldb), uintptr(A.Address), uintptr(lda), uintptr(unsafe.Pointer(&b.scalars[1])), uintptr(C.Address), uintptr(ldc))
}
