//go:build !linux || !(amd64 || arm64)

package fakecuda

import "errors"

// Counts are what the library counts since Reset.
type Counts struct {
	Launches, Uploads, Downloads, UpBytes, DownBytes, Allocations, Frees, Graphs int64
	Live, Peak, Pieces                                                           int64
}

var errOther = errors.New("fakecuda: only for linux on amd64 and arm64")

// Reset is for Linux only.
func Reset(string, string) error { return errOther }

// Set is for Linux only.
func Set(string, string) error { return errOther }

// Count is for Linux only.
func Count(string) (Counts, error) { return Counts{}, errOther }
