//go:build !amd64

package vmath

import "github.com/chestlab/chest/internal/cpu"

var tables = [...]*table{cpu.Generic: nil}
