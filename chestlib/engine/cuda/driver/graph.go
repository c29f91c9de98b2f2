package driver

import (
	"errors"
	"unsafe"
)

// Graph is a list of work that is launched at once.
type Graph struct{ exec uintptr }

// Capture runs f, in which only launches, Clear and Copy may be queued, and
// returns them as a graph; nothing is done yet. An old driver has no graphs: that
// is an error.
func (d *Device) Capture(f func() error) (*Graph, error) {
	const threadLocal = 1
	if d.sync {
		return nil, errors.New("cuda: no graphs with CHEST_CUDA_SYNC=1")
	}
	if err := d.lib.call(cuStreamBeginCapture, d.stream, threadLocal); err != nil {
		return nil, err
	}
	failed := f()
	var graph uintptr
	err := d.lib.call(cuStreamEndCapture, d.stream, uintptr(unsafe.Pointer(&graph)))
	if failed != nil || err != nil {
		return nil, errors.Join(failed, err)
	}
	g := &Graph{}
	err = d.lib.call(cuGraphInstantiate, uintptr(unsafe.Pointer(&g.exec)), graph, 0)
	return g, errors.Join(err, d.lib.call(cuGraphDestroy, graph))
}

// Replay queues a graph.
func (d *Device) Replay(g *Graph) error {
	d.counts.Launches++
	return d.lib.call(cuGraphLaunch, g.exec, d.stream)
}

// FreeGraph frees a graph.
func (d *Device) FreeGraph(g *Graph) error { return d.lib.call(cuGraphExecDestroy, g.exec) }

// Event marks a place in the stream.
type Event struct{ handle uintptr }

// Mark queues a new event.
func (d *Device) Mark() (Event, error) {
	var e Event
	if err := d.lib.call(cuEventCreate, uintptr(unsafe.Pointer(&e.handle)), 0); err != nil {
		return e, err
	}
	return e, d.lib.call(cuEventRecord, e.handle, d.stream)
}

// Reached says whether all work before the event is done.
func (d *Device) Reached(e Event) (bool, error) {
	const notReady = 600
	err := d.lib.call(cuEventQuery, e.handle)
	var known *Error
	if errors.As(err, &known) && known.Code == notReady {
		return false, nil
	}
	return err == nil, err
}

// Await waits until all work before the event is done, and no longer: what was queued
// after it goes on. It gives up as Wait does.
func (d *Device) Await(e Event) error { return d.await(cuEventSynchronize, e.handle) }

// Between is the time of the work between two events in milliseconds; it waits
// for the second.
func (d *Device) Between(a, b Event) (float64, error) {
	var ms float32
	if err := d.lib.call(cuEventSynchronize, b.handle); err != nil {
		return 0, err
	}
	err := d.lib.call(cuEventElapsedTime, uintptr(unsafe.Pointer(&ms)), a.handle, b.handle)
	return float64(ms), err
}

// FreeEvent frees an event.
func (d *Device) FreeEvent(e Event) error { return d.lib.call(cuEventDestroy, e.handle) }
