//go:build !unix

package sweep

// peakMB is the largest memory in MB that this process has had; here it is not
// known.
func peakMB() float64 { return 0 }
