// Package notebooks holds the notebooks of the project, with their outputs, so that
// the program can run them where nobody has cloned it.
package notebooks

import "embed"

// Files are the notebooks, NAME.ipynb; their names sort in reading order.
//
//go:embed *.ipynb
var Files embed.FS
