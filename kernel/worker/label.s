// This file lets goroutineLabels have no body in Go.
