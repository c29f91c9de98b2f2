//go:build linux && (amd64 || arm64) && !nogpu

package driver

import "github.com/ebitengine/purego"

// supported says that this build can load a driver at all.
const supported = true

func openLibrary(path string) (uintptr, error) {
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

// openGlobal opens a library whose functions other libraries may use.
func openGlobal(path string) (uintptr, error) {
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
}

// findSymbol returns 0 if there is no such function.
func findSymbol(handle uintptr, name string) uintptr {
	fn, err := purego.Dlsym(handle, name)
	if err != nil {
		return 0
	}
	return fn
}

//go:uintptrescapes
func callSymbol(fn uintptr, args ...uintptr) int {
	r, _, _ := purego.SyscallN(fn, args...)
	return int(int32(r))
}
