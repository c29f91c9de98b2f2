package worker

import (
	"context"
	"runtime/pprof"
	"strconv"
	"sync"
	"unsafe"
)

// Output belongs to the cell that started the goroutine which wrote it, also
// when that cell has ended. A goroutine's profiler labels are the one thing
// that it inherits and that can be told apart: each cell runs under a set of
// its own, and the address of the set names the cell.

//go:linkname goroutineLabels runtime/pprof.runtime_getProfLabel
func goroutineLabels() unsafe.Pointer

// labels knows the sets of the last cells. The zero value is ready.
type labels struct {
	mu    sync.RWMutex
	cells map[unsafe.Pointer]uint32
	order []unsafe.Pointer
	last  uint32
}

// maxLabels bounds the cells whose goroutines are known.
const maxLabels = 1000

// enter marks this goroutine, and those that it starts, as the cell's.
func (l *labels) enter(cell uint32) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("cell", strconv.FormatUint(uint64(cell), 10))))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cells == nil {
		l.cells = map[unsafe.Pointer]uint32{}
	}
	if len(l.order) == maxLabels {
		delete(l.cells, l.order[0])
		l.order = l.order[1:]
	}
	set := goroutineLabels()
	l.cells[set] = cell // holding the set, so that its address stays its own
	l.order = append(l.order, set)
	l.last = cell
}

// cell is the cell of this goroutine: the last one, if it is not known.
func (l *labels) cell() uint32 {
	set := goroutineLabels()
	l.mu.RLock()
	defer l.mu.RUnlock()
	if c, ok := l.cells[set]; ok {
		return c
	}
	return l.last
}
