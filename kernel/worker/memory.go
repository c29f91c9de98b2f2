package worker

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// defaultShare is the part of the machine's memory that a worker may use when
// nothing else is said.
const defaultShare = 0.9

// softShare is the part of the limit at which the worker begins to collect
// garbage as hard as it can.
const softShare = 0.9

// How often the memory of a worker is looked at: it can grow by some GB a
// second.
const (
	watchPause = 100 * time.Millisecond
	closePause = 20 * time.Millisecond // when more than half of the limit is used
)

// DefaultMemory is the memory limit of workers, in bytes, unless another is
// set: nine tenths of what the machine, or the container, has; 0: unknown.
func DefaultMemory() int64 { return int64(defaultShare * float64(machineMemory())) }

// ParseMemory reads a size such as "4GB", "1.5 GiB" or "800M"; "off" is 0.
func ParseMemory(s string) (int64, error) {
	text := strings.ToUpper(strings.TrimSpace(s))
	if text == "OFF" {
		return 0, nil
	}
	number := strings.TrimRight(text, "KMGTIB ")
	unit := strings.TrimSpace(strings.TrimPrefix(text, number))
	scale, ok := map[string]float64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40,
		"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
	}[unit]
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(n > 0) || n*scale >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is no size: write 4GB, 800MB or off", s)
	}
	if n*scale < minMemory {
		return 0, fmt.Errorf("%q is too little: a worker itself needs more than %s", s, FormatMemory(minMemory))
	}
	return int64(n * scale), nil
}

// minMemory is less than which a worker cannot begin.
const minMemory = 128 << 20

// FormatMemory is a size for people: "3.9 GB".
func FormatMemory(n int64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}} {
		if float64(n) >= u.size {
			return strings.TrimSuffix(strconv.FormatFloat(float64(n)/u.size, 'f', 1, 64), ".0") + " " + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
