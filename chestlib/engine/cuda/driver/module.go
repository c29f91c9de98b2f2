package driver

import (
	"fmt"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// Module is compiled kernels.
type Module struct {
	handle  uintptr
	kernels map[string]*Kernel
	Took    time.Duration // to compile, or to find in the driver's cache
}

// Kernel is one of them.
type Kernel struct {
	name   string
	handle uintptr
	kinds  string // of the parameters: l 64-bit, i 32-bit, f float32, d float64
}

// Load compiles PTX for the device and looks up all its kernels. An error has
// the log of the driver's compiler.
func (d *Device) Load(ptx string) (*Module, error) {
	const errorLog, errorLogSize = 5, 6
	log := make([]byte, 8<<10)
	options := []int32{errorLog, errorLogSize}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&log[0])
	values := []uintptr{uintptr(unsafe.Pointer(&log[0])), uintptr(len(log))}
	image := append([]byte(ptx), 0)
	m := &Module{kernels: map[string]*Kernel{}}
	begin := time.Now()
	err := d.lib.call(cuModuleLoadDataEx, uintptr(unsafe.Pointer(&m.handle)), uintptr(unsafe.Pointer(&image[0])), uintptr(len(options)),
		uintptr(unsafe.Pointer(&options[0])), uintptr(unsafe.Pointer(&values[0])))
	m.Took = time.Since(begin)
	if err != nil {
		err.(*Error).Detail = strings.TrimSpace(text(log))
		return nil, err
	}
	for name, kinds := range Entries(ptx) {
		k := &Kernel{name: name, kinds: kinds}
		cname := append([]byte(name), 0)
		if err := d.lib.call(cuModuleGetFunction, uintptr(unsafe.Pointer(&k.handle)), m.handle, uintptr(unsafe.Pointer(&cname[0]))); err != nil {
			err.(*Error).Detail = name
			return nil, err
		}
		m.kernels[name] = k
	}
	return m, nil
}

// Unload frees a module.
func (d *Device) Unload(m *Module) error { return d.lib.call(cuModuleUnload, m.handle) }

// Kernel returns the kernel of a name. It panics if there is none.
func (m *Module) Kernel(name string) *Kernel {
	k := m.kernels[name]
	if k == nil {
		panic("cuda: no kernel " + name)
	}
	return k
}

// Entries returns the kernels of PTX with the kinds of their parameters: l for
// a pointer or 64-bit integer, i for a 32-bit integer, f float32, d float64.
func Entries(ptx string) map[string]string {
	all := map[string]string{}
	parts := strings.Split(ptx, ".visible .entry ")
	for _, p := range parts[1:] {
		name, rest, _ := strings.Cut(p, "(")
		list, _, _ := strings.Cut(rest, ")")
		var kinds strings.Builder
		for _, param := range strings.Split(list, ".param .")[1:] {
			switch param[:3] {
			case "u64", "b64":
				kinds.WriteByte('l')
			case "u32", "b32":
				kinds.WriteByte('i')
			case "f32":
				kinds.WriteByte('f')
			case "f64":
				kinds.WriteByte('d')
			default:
				kinds.WriteByte('?')
			}
		}
		all[strings.TrimSpace(name)] = kinds.String()
	}
	return all
}

// mostArguments is the longest parameter list.
const mostArguments = 32

// launch is the memory of one launch, a part of a Device and so on the heap, where
// nothing moves: the driver copies arguments before it returns.
type launch struct {
	args     [mostArguments]uint64
	pointers [mostArguments]uintptr
}

// Grid is the number of blocks.
type Grid struct{ X, Y, Z int }

// Launch queues a kernel on grid blocks of threads. Arguments are Memory,
// int32 as int, int64, float32 or float64; a list that does not fit panics. A
// grid without blocks does nothing.
func (d *Device) Launch(k *Kernel, grid Grid, threads int, args ...any) error {
	if grid.X <= 0 || grid.Y <= 0 || grid.Z <= 0 {
		return nil
	}
	if len(args) != len(k.kinds) {
		panic(fmt.Sprintf("cuda: %d arguments for %s, want %d", len(args), k.name, len(k.kinds)))
	}
	l := &d.launch
	for i, a := range args {
		l.pointers[i] = uintptr(unsafe.Pointer(&l.args[i]))
		kind := byte('?')
		switch v := a.(type) {
		case Memory:
			kind, l.args[i] = 'l', v.Address
		case int64:
			kind, l.args[i] = 'l', uint64(v)
		case int:
			if int(int32(v)) != v {
				return fmt.Errorf("cuda: %s: argument %d is %d, which 32 bits do not hold", k.name, i, v)
			}
			kind, l.args[i] = 'i', uint64(uint32(int32(v)))
		case float32:
			kind, l.args[i] = 'f', uint64(*(*uint32)(unsafe.Pointer(&v)))
		case float64:
			kind, l.args[i] = 'd', *(*uint64)(unsafe.Pointer(&v))
		}
		if kind != k.kinds[i] {
			panic(fmt.Sprintf("cuda: argument %d of %s is a %T, want kind %c of %s", i, k.name, a, k.kinds[i], k.kinds))
		}
	}
	d.counts.Launches++
	err := d.lib.call(cuLaunchKernel, k.handle, uintptr(grid.X), uintptr(grid.Y), uintptr(grid.Z), uintptr(threads), 1, 1, 0, d.stream,
		uintptr(unsafe.Pointer(&l.pointers[0])), 0)
	if err == nil && d.sync {
		err = d.Wait()
	}
	if e, ok := err.(*Error); ok {
		e.Step = k.name
	}
	return err
}
