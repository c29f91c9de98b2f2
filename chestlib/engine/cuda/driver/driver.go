// Package driver binds NVIDIA's CUDA driver at run time, without cgo and without
// a toolkit: libcuda.so.1 is looked for when Open is called, and a program that
// never calls it needs nothing.
//
//	Open → Device ─ Do ─┬ Alloc, Upload, Download
//	                    ├ Load → Module → Launch
//	                    └ Capture → Graph
//
// Every way of having no GPU is an *Error with one sentence and one remedy.
//
// A CUDA context belongs to threads, goroutines move between them: all calls of
// a device's methods that reach the driver are made inside of Device.Do, which
// pins the goroutine and lets one in at a time. Work is queued on one stream and
// done in order; Download and Wait are where the processor waits.
package driver

import "fmt"

// proc is a function of libcuda. Names with a version suffix are the ones that
// headers of CUDA 11 to 13 mean by the short name.
type proc int

const (
	cuInit proc = iota
	cuDriverGetVersion
	cuDeviceGetCount
	cuDeviceGet
	cuDeviceGetName
	cuDeviceGetAttribute
	cuDeviceTotalMem
	cuDevicePrimaryCtxSetFlags
	cuDevicePrimaryCtxRetain
	cuDevicePrimaryCtxRelease
	cuCtxSetCurrent
	cuCtxSynchronize
	cuMemGetInfo
	cuMemAlloc
	cuMemFree
	cuMemHostAlloc
	cuMemFreeHost
	cuMemcpyHtoDAsync
	cuMemcpyDtoHAsync
	cuMemcpyDtoDAsync
	cuMemsetD32Async
	cuModuleLoadDataEx
	cuModuleUnload
	cuModuleGetFunction
	cuLaunchKernel
	cuStreamCreate
	cuStreamDestroy
	cuStreamSynchronize
	cuEventCreate
	cuEventRecord
	cuEventQuery
	cuEventSynchronize
	cuEventElapsedTime
	cuEventDestroy
	cuGetErrorName
	needed // the procs before are there in every driver since 450; those after may be missing

	cuStreamBeginCapture
	cuStreamEndCapture
	cuGraphInstantiate
	cuGraphLaunch
	cuGraphExecDestroy
	cuGraphDestroy
	procs
)

var symbols = [procs]string{
	cuInit: "cuInit", cuDriverGetVersion: "cuDriverGetVersion",
	cuDeviceGetCount: "cuDeviceGetCount", cuDeviceGet: "cuDeviceGet", cuDeviceGetName: "cuDeviceGetName",
	cuDeviceGetAttribute: "cuDeviceGetAttribute", cuDeviceTotalMem: "cuDeviceTotalMem_v2",
	cuDevicePrimaryCtxSetFlags: "cuDevicePrimaryCtxSetFlags_v2", cuDevicePrimaryCtxRetain: "cuDevicePrimaryCtxRetain",
	cuDevicePrimaryCtxRelease: "cuDevicePrimaryCtxRelease_v2", cuCtxSetCurrent: "cuCtxSetCurrent", cuCtxSynchronize: "cuCtxSynchronize",
	cuMemGetInfo: "cuMemGetInfo_v2", cuMemAlloc: "cuMemAlloc_v2", cuMemFree: "cuMemFree_v2",
	cuMemHostAlloc: "cuMemHostAlloc", cuMemFreeHost: "cuMemFreeHost",
	cuMemcpyHtoDAsync: "cuMemcpyHtoDAsync_v2", cuMemcpyDtoHAsync: "cuMemcpyDtoHAsync_v2",
	cuMemcpyDtoDAsync: "cuMemcpyDtoDAsync_v2", cuMemsetD32Async: "cuMemsetD32Async",
	cuModuleLoadDataEx: "cuModuleLoadDataEx", cuModuleUnload: "cuModuleUnload", cuModuleGetFunction: "cuModuleGetFunction",
	cuLaunchKernel: "cuLaunchKernel", cuStreamCreate: "cuStreamCreate", cuStreamDestroy: "cuStreamDestroy_v2",
	cuStreamSynchronize: "cuStreamSynchronize", cuEventCreate: "cuEventCreate", cuEventRecord: "cuEventRecord",
	cuEventQuery: "cuEventQuery", cuEventSynchronize: "cuEventSynchronize", cuEventElapsedTime: "cuEventElapsedTime",
	cuEventDestroy: "cuEventDestroy_v2", cuGetErrorName: "cuGetErrorName",

	cuStreamBeginCapture: "cuStreamBeginCapture_v2", cuStreamEndCapture: "cuStreamEndCapture",
	cuGraphInstantiate: "cuGraphInstantiateWithFlags", cuGraphLaunch: "cuGraphLaunch",
	cuGraphExecDestroy: "cuGraphExecDestroy", cuGraphDestroy: "cuGraphDestroy",
}

// library is a loaded libcuda.
type library struct {
	path string
	fn   [procs]uintptr
}

// load opens the library at path and looks its functions up.
func load(path string) (*library, error) {
	handle, err := openLibrary(path)
	if err != nil {
		return nil, &Error{Code: codeNoLibrary, Call: "dlopen " + path, Detail: err.Error()}
	}
	l := &library{path: path}
	for p, name := range symbols {
		if name == "" {
			continue
		}
		l.fn[p] = findSymbol(handle, name)
		if l.fn[p] == 0 && proc(p) < needed {
			return nil, &Error{Code: codeNoSymbol, Call: path, Detail: "it has no " + name}
		}
	}
	return l, nil
}

// call calls p and turns its result into an error.
//
// The directive keeps what the arguments point to on the heap and alive.
//
//go:uintptrescapes
func (l *library) call(p proc, args ...uintptr) error {
	if l.fn[p] == 0 {
		return &Error{Code: codeNoSymbol, Call: symbols[p], Detail: "this driver does not have it"}
	}
	if code := callSymbol(l.fn[p], args...); code != 0 {
		return &Error{Code: code, Call: symbols[p]}
	}
	return nil
}

// Version is a version of CUDA as the driver counts: 13000 is 13.0.
type Version int

func (v Version) String() string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }
