//go:build !linux || !amd64 || nogpu

package driver

// signals does nothing here: the layout of the system call is that of
// linux/amd64.
type signals struct{ changed []int }

func saveSignals() *signals { return &signals{} }

func (g *signals) restore() {}
