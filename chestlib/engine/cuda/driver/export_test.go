package driver

import (
	"maps"
	"slices"
)

// Codes are all codes that there is a sentence for, and those that lose the context.
func Codes() []int {
	codes := slices.Concat(slices.Collect(maps.Keys(meanings)), lost)
	slices.Sort(codes)
	return slices.Compact(codes)
}

// Meaning is the sentence of a code.
func Meaning(code int) string { return (&Error{Code: code}).Sentence() }
