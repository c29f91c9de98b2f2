//go:build !amd64

package sgemm

import "github.com/chestlab/chest/internal/cpu"

// sets are the kernels by level.
var sets = [...]set{cpu.Generic: generic}

// Peak is 0: there is no vector level on this processor.
func Peak(cpu.Level) float64 { return 0 }
