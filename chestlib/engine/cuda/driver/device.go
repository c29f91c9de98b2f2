package driver

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

// Info describes a GPU.
type Info struct {
	Ordinal    int
	Name       string
	Capability int // 90 is compute capability 9.0
	Units      int // multiprocessors
	Memory     uint64
	Driver     Version // the newest CUDA that the driver knows
	Library    string  // path of libcuda
	Signals    []int   // whose handlers the driver had replaced; they are put back
}

func (i Info) String() string {
	return fmt.Sprintf("%s, sm_%d, %d SMs, %.1f GiB", i.Name, i.Capability, i.Units, float64(i.Memory)/(1<<30))
}

// Device is a GPU with one stream, on which everything is done in order. Its
// methods are called inside of Do, except Do itself, Info, Counters and Close.
type Device struct {
	mu       sync.Mutex
	lib      *library
	info     Info
	handle   int32
	context  uintptr
	stream   uintptr
	dead     error // the context is lost
	closed   bool
	guard    *signals
	arena    arena
	staging  staging
	launch   launch
	counts   Counters
	sync     bool          // wait after each launch, to name the kernel that fails
	patience time.Duration // how long a wait may take
}

// Counters count what a device did since Open.
type Counters struct {
	Launches, Uploads, Downloads, Waits int
	UpBytes, DownBytes                  int
}

// Open makes GPU number ordinal ready. All failures are *Error.
func (s System) Open(ordinal int) (*Device, error) {
	guard := saveSignals()
	defer guard.restore()
	lib, err := s.find(guard)
	if err != nil {
		return nil, err
	}
	d := &Device{lib: lib, guard: guard, sync: s.env("CHEST_CUDA_SYNC") == "1"}
	d.arena.exact = s.env("CHEST_CUDA_EXACT") == "1"
	if d.patience, err = patience(s.env("CHEST_CUDA_TIMEOUT")); err != nil {
		return nil, err
	}
	if err := d.open(s, ordinal); err != nil {
		return nil, err
	}
	return d, nil
}

// Open is System{}.Open.
func Open(ordinal int) (*Device, error) { return System{}.Open(ordinal) }

func (d *Device) open(s System, ordinal int) error {
	infos, err := d.lib.list(s)
	if err != nil {
		return err
	}
	if ordinal < 0 || ordinal >= len(infos) {
		return &Error{Code: codeOrdinal, Call: fmt.Sprintf("cuda:%d of %d", ordinal, len(infos))}
	}
	d.info = infos[ordinal]
	if err := d.lib.call(cuDeviceGet, uintptr(unsafe.Pointer(&d.handle)), uintptr(ordinal)); err != nil {
		return err
	}
	const blockingSync = 4 // a waiting thread sleeps
	// The flags of a context that somebody else made already cannot be changed: no matter.
	_ = d.lib.call(cuDevicePrimaryCtxSetFlags, uintptr(d.handle), blockingSync)
	if err := d.lib.call(cuDevicePrimaryCtxRetain, uintptr(unsafe.Pointer(&d.context)), uintptr(d.handle)); err != nil {
		return err
	}
	d.guard.restore()
	d.info.Signals = d.guard.changed
	err = d.Do(func() error { return d.lib.call(cuStreamCreate, uintptr(unsafe.Pointer(&d.stream)), 1) })
	if err != nil {
		_ = d.lib.call(cuDevicePrimaryCtxRelease, uintptr(d.handle)) // the first error is told
	}
	return err
}

// Devices lists the GPUs without opening one. All failures are *Error; no GPU is one.
func (s System) Devices() ([]Info, error) {
	guard := saveSignals()
	defer guard.restore()
	lib, err := s.find(guard)
	if err != nil {
		return nil, err
	}
	return lib.list(s)
}

func (l *library) list(s System) ([]Info, error) {
	var version, count int32
	if err := l.call(cuDriverGetVersion, uintptr(unsafe.Pointer(&version))); err != nil {
		return nil, err
	}
	if err := l.call(cuDeviceGetCount, uintptr(unsafe.Pointer(&count))); err != nil {
		return nil, err
	}
	if count == 0 {
		return nil, s.explain(&Error{Code: codeNoDevice, Call: "cuDeviceGetCount"})
	}
	all := make([]Info, count)
	for i := range all {
		all[i] = Info{Ordinal: i, Driver: Version(version), Library: l.path}
		if err := l.describe(&all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// describe fills in what the driver says about a device.
func (l *library) describe(i *Info) error {
	var handle, units, major, minor int32
	var memory uint64
	name := make([]byte, 128)
	const attributeUnits, attributeMajor, attributeMinor = 16, 75, 76
	err := l.call(cuDeviceGet, uintptr(unsafe.Pointer(&handle)), uintptr(i.Ordinal))
	for _, f := range []func() error{
		func() error {
			return l.call(cuDeviceGetName, uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)), uintptr(handle))
		},
		func() error {
			return l.call(cuDeviceGetAttribute, uintptr(unsafe.Pointer(&units)), attributeUnits, uintptr(handle))
		},
		func() error {
			return l.call(cuDeviceGetAttribute, uintptr(unsafe.Pointer(&major)), attributeMajor, uintptr(handle))
		},
		func() error {
			return l.call(cuDeviceGetAttribute, uintptr(unsafe.Pointer(&minor)), attributeMinor, uintptr(handle))
		},
		func() error { return l.call(cuDeviceTotalMem, uintptr(unsafe.Pointer(&memory)), uintptr(handle)) },
	} {
		if err == nil {
			err = f()
		}
	}
	i.Name, i.Units, i.Capability, i.Memory = text(name), int(units), int(major*10+minor), memory
	return err
}

// Info describes the device.
func (d *Device) Info() Info { return d.info }

// Counters returns what was done so far.
func (d *Device) Counters() Counters {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}

// Do runs f with the device's context on its thread, one f at a time. f must
// not call Do. After an error that lost the context every Do returns that error.
func (d *Device) Do(f func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errors.New("cuda: the device is closed")
	}
	if d.dead != nil {
		return d.dead
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := d.lib.call(cuCtxSetCurrent, d.context); err != nil {
		return d.note(err)
	}
	return d.note(f())
}

// note remembers an error that lost the context.
func (d *Device) note(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Lost() {
		d.dead = err
	}
	return err
}

// patience is how long a wait may take, from CHEST_CUDA_TIMEOUT in seconds; 120 if
// that is not set.
func patience(text string) (time.Duration, error) {
	if text == "" {
		return 2 * time.Minute, nil
	}
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || !(s > 0 && s < 1e9) {
		return 0, fmt.Errorf("cuda: CHEST_CUDA_TIMEOUT is %q; want seconds, such as 300", text)
	}
	return time.Duration(s * float64(time.Second)), nil
}

// Wait waits until all that was queued is done. Errors of kernels show up here.
//
// A device that does not come back within CHEST_CUDA_TIMEOUT seconds is lost: the
// thread that waits for it is left behind. That costs a wait some 25 µs (two cores,
// fake driver).
func (d *Device) Wait() error {
	d.counts.Waits++
	return d.await(cuStreamSynchronize, d.stream)
}

// await calls p, which waits on of, for as long as there is patience.
func (d *Device) await(p proc, of uintptr) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := d.lib.call(cuCtxSetCurrent, d.context)
		if err == nil {
			err = d.lib.call(p, of)
		}
		done <- err
	}()
	limit := time.NewTimer(d.patience)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		return &Error{Code: codeHung, Call: symbols[p], Detail: fmt.Sprintf("nothing for %v", d.patience)}
	}
}

// Close frees the device's memory and lets it go. A second Close does nothing.
func (d *Device) Close() error {
	err := d.Do(func() error {
		err := d.Wait()
		d.staging.free(d)
		d.arena.trim(d)
		_ = d.lib.call(cuStreamDestroy, d.stream) // the wait above told what there is to tell
		return err
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	if d.dead != nil {
		return d.dead
	}
	return errors.Join(err, d.lib.call(cuDevicePrimaryCtxRelease, uintptr(d.handle)))
}

// text is the bytes before the first 0.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
