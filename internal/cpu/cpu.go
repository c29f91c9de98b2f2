// Package cpu says which vector instructions the kernels of internal/sgemm and
// internal/vmath may use. It is asked at every call, so that tests can run all
// levels that the machine has.
package cpu

import (
	"fmt"
	"os"
	"sync/atomic"
)

// Level is a set of instructions. Higher levels include the lower ones.
type Level int32

// Levels.
const (
	Generic Level = iota // plain Go
	AVX2                 // x86-64 with AVX2 and FMA: 8 float32 at a time
	AVX512               // and AVX-512 F, BW, DQ, VL: 16 at a time
)

var names = [...]string{"generic", "avx2", "avx512"}

// String is the name that CHEST_CPU takes.
func (l Level) String() string {
	if l < 0 || int(l) >= len(names) {
		return fmt.Sprintf("Level(%d)", int32(l))
	}
	return names[l]
}

// Variable is the name of the environment variable that forces a level.
const Variable = "CHEST_CPU"

var active atomic.Int32

// The level is chosen before any kernel can run. A wrong CHEST_CPU ends the
// program: to go on at another level than the one asked for would make
// measurements lie.
func init() {
	level, err := choose(os.Getenv(Variable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	active.Store(int32(level))
}

// choose returns the level that name asks for, the best one for "".
func choose(name string) (Level, error) {
	if name == "" {
		return Best(), nil
	}
	for l, n := range names {
		if n != name {
			continue
		}
		if Level(l) > Best() {
			return 0, fmt.Errorf("chest: %s=%s: this processor has no %s; its best level is %s", Variable, name, name, Best())
		}
		return Level(l), nil
	}
	return 0, fmt.Errorf("chest: %s=%s is not known; use generic, avx2 or avx512, or unset it for the best that the processor has", Variable, name)
}

// Active is the level that kernels use.
func Active() Level { return Level(active.Load()) }

// Best is the highest level that this machine has.
func Best() Level { return best }

// Levels are all levels that this machine has, lowest first.
func Levels() []Level {
	var all []Level
	for l := Generic; l <= best; l++ {
		all = append(all, l)
	}
	return all
}

// Set makes kernels use level l, for tests and benchmarks, and returns a
// function that goes back. It panics if the machine does not have l. Kernels
// that run meanwhile may use either.
func Set(l Level) (restore func()) {
	if l < Generic || l > best {
		panic(fmt.Sprintf("cpu: level %s on a machine with %s", l, best))
	}
	old := active.Swap(int32(l))
	return func() { active.Store(old) }
}
