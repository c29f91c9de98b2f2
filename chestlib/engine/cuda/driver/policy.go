package driver

import (
	"fmt"
	"strconv"
	"strings"
)

// Policy says what may compute.
type Policy struct {
	GPU     bool // a GPU is wanted
	CPU     bool // the processor will do
	Ordinal int  // of the GPU
}

// ParsePolicy reads "auto" (or ""): a GPU if one works, else the processor; "cpu";
// "cuda" or "cuda:n": GPU number n or an error, never the processor instead.
func ParsePolicy(s string) (Policy, error) {
	switch s {
	case "", "auto":
		return Policy{GPU: true, CPU: true}, nil
	case "cpu":
		return Policy{CPU: true}, nil
	case "cuda":
		return Policy{GPU: true}, nil
	}
	if number, ok := strings.CutPrefix(s, "cuda:"); ok {
		if n, err := strconv.Atoi(number); err == nil && n >= 0 {
			return Policy{GPU: true, Ordinal: n}, nil
		}
	}
	return Policy{}, fmt.Errorf("cuda: device %q; want auto, cpu, cuda or cuda:n", s)
}

// String returns what ParsePolicy reads.
func (p Policy) String() string {
	switch {
	case p.GPU && p.CPU:
		return "auto"
	case p.GPU:
		return fmt.Sprintf("cuda:%d", p.Ordinal)
	}
	return "cpu"
}
