package parallel

import (
	"runtime"
	"sync/atomic"
	"time"
)

// linger is how long a helper that has no more tasks looks for the next loop
// before it ends. To start a goroutine on another processor costs up to 0.1 ms
// there: that processor sleeps, is woken, and waits a little before it takes
// the goroutine. A step of training is a dozen loops with less than that in
// between.
const linger = 100 * time.Microsecond

// crew are the seats where the helpers of all teams linger. They are shared: a
// helper of one team that kept its processor would hold up those of the next.
var crew [64]seat

// seat is a place for one helper, who is called to a team by its state.
type seat struct {
	state atomic.Uint32
	team  *Team // written by the caller between taken and called
	index int   // of the worker in team
	_     [40]byte
}

// The states of a seat, in their order.
const (
	empty  = iota // nobody sits there
	idle          // somebody waits for a call
	taken         // somebody is about to be called
	called        // team and index are set
)

// call sends a helper that lingers to be a worker of t; false means that there
// is none.
func call(t *Team, index int) bool {
	for i := range seats() {
		s := &crew[i]
		if s.state.Load() == idle && s.state.CompareAndSwap(idle, taken) {
			s.team, s.index = t, index
			s.state.Store(called)
			return true
		}
	}
	return false
}

// seats is how many helpers may linger: one processor is left to the rest.
func seats() int { return min(runtime.GOMAXPROCS(0)-1, len(crew)) }

// help is the life of a helper: the worker index of t, and then of every team
// that calls it in time.
func help(t *Team, index int) {
	for t != nil {
		t.work(index)
		s := sit()
		t.leave() // after it sat down: the caller's next loop finds it
		if s == nil {
			return
		}
		t, index = s.wait()
	}
}

// sit takes an empty seat, if there is one.
func sit() *seat {
	for i := range seats() {
		s := &crew[i]
		if s.state.Load() == empty && s.state.CompareAndSwap(empty, idle) {
			return s
		}
	}
	return nil
}

// wait returns the team that calls within linger, or nil. The seat is empty
// then.
func (s *seat) wait() (t *Team, index int) {
	if !spin(func() bool { return s.state.Load() == called }) && s.state.CompareAndSwap(idle, empty) {
		return nil, 0
	}
	for s.state.Load() != called { // taken: the call is being written
		runtime.Gosched()
	}
	t, index = s.team, s.index
	s.team = nil
	s.state.Store(empty)
	return t, index
}

// spin waits until f is true, but not longer than linger, and returns what f
// was last.
func spin(f func() bool) bool {
	begin := time.Now()
	for i := 0; !f(); i++ {
		if i%256 == 255 && time.Since(begin) > linger {
			return f()
		}
	}
	return true
}
