//go:build !linux

package worker

// usedMemory is not known here.
func usedMemory(int) (int64, bool) { return 0, false }

// machineMemory is not known here.
func machineMemory() int64 { return 0 }
