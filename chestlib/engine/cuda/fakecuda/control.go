//go:build linux && (amd64 || arm64)

package fakecuda

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Counts are what the library counts since Reset.
type Counts struct {
	Launches, Uploads, Downloads, UpBytes, DownBytes, Allocations, Frees, Graphs int64
	Live, Peak, Pieces                                                           int64 // bytes of device memory, and pieces of any, events and graphs
}

// Reset forgets counts, failures and memory of the library at path, which no device
// must be using, and sets it up:
// "cuMemAlloc_v2:2:719" lets the second call fail, with a code of -5 hang for half a
// second, "devices=0", "version=11020",
// "capability=75", "megabytes=64", "steal=10" (a handler for that signal), with commas.
func Reset(path, settings string) error {
	text := append([]byte(settings), 0)
	return control(path, "fakecuda_reset", uintptr(unsafe.Pointer(&text[0])))
}

// Set changes the settings alone, while devices are in use.
func Set(path, settings string) error {
	text := append([]byte(settings), 0)
	return control(path, "fakecuda_set", uintptr(unsafe.Pointer(&text[0])))
}

// Count returns the counts of the library at path.
func Count(path string) (Counts, error) {
	var c Counts
	err := control(path, "fakecuda_counts", uintptr(unsafe.Pointer(&c)))
	return c, err
}

//go:uintptrescapes
func control(path, name string, arg uintptr) error {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW)
	if err != nil {
		return fmt.Errorf("fakecuda: %w", err)
	}
	fn, err := purego.Dlsym(handle, name)
	if err != nil {
		return fmt.Errorf("fakecuda: %w", err)
	}
	purego.SyscallN(fn, arg)
	return nil
}
