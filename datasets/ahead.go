package datasets

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/chestlab/chest/datasets/transform"
)

// drawKey is one draw of one item, or the plain item.
type drawKey struct {
	item  int
	draw  uint64
	plain bool
}

// ahead makes pictures before they are asked for, on goroutines that live only
// while there is work. A picture is a function of its key, so nothing depends on
// who makes it and when.
type ahead struct {
	make          func(drawKey) (transform.RGB, error)
	workers, most int

	mu      sync.Mutex
	queue   []drawKey // announced, in order; those without a slot of state waiting are passed over
	slots   map[drawKey]*slot
	running int // workers
	held    int // pictures that are made or being made
	idle    *sync.Cond
}

// slot is one announced picture.
type slot struct {
	state   slotState
	dropped bool          // nobody will fetch it
	done    chan struct{} // closed when it is made
	m       transform.RGB
	err     error
}

type slotState int

const (
	waiting slotState = iota
	making
	made
)

// newAhead makes pictures on that many workers, 0 for GOMAXPROCS, and holds at
// most so many.
func newAhead(workers, most int, f func(drawKey) (transform.RGB, error)) *ahead {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	a := &ahead{make: f, workers: workers, most: most, slots: make(map[drawKey]*slot)}
	a.idle = sync.NewCond(&a.mu)
	return a
}

// announce replaces what was announced.
func (a *ahead) announce(keys []drawKey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	again := make(map[drawKey]bool, len(keys))
	for _, k := range keys {
		again[k] = true
	}
	for k, s := range a.slots {
		switch {
		case again[k]:
			s.dropped = false
		case s.state == making:
			s.dropped = true
		default:
			a.remove(k, s)
		}
	}
	a.queue = keys
	for _, k := range keys {
		if a.slots[k] == nil {
			a.slots[k] = &slot{done: make(chan struct{})}
		}
	}
	a.start()
}

// remove forgets a slot that is not being made.
func (a *ahead) remove(k drawKey, s *slot) {
	delete(a.slots, k)
	if s.state == made {
		a.held--
	}
}

// start starts as many workers as there is work for.
func (a *ahead) start() {
	for n := len(a.queue); a.running < a.workers && n > 0 && a.held < a.most; n-- {
		a.running++
		go a.work()
	}
}

// work makes pictures until there is nothing to do or no room.
func (a *ahead) work() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.held < a.most {
		k, s := a.next()
		if s == nil {
			break
		}
		s.state = making
		a.held++
		a.mu.Unlock()
		s.m, s.err = a.guarded(k)
		a.mu.Lock()
		s.state = made
		close(s.done)
		if s.dropped {
			a.remove(k, s)
		}
	}
	a.running--
	a.idle.Broadcast()
}

// next takes the first picture that waits from the queue.
func (a *ahead) next() (drawKey, *slot) {
	for len(a.queue) > 0 {
		k := a.queue[0]
		a.queue = a.queue[1:]
		if s := a.slots[k]; s != nil && s.state == waiting {
			return k, s
		}
	}
	return drawKey{}, nil
}

// guarded is make on a worker, where a panic would end the program: it becomes
// the error of whoever asks for the picture.
func (a *ahead) guarded(k drawKey) (m transform.RGB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("datasets: a step of the recipe panicked: %v", p)
		}
	}()
	return a.make(k)
}

// take is the picture of k: made ahead, waited for while it is being made, or
// made now.
func (a *ahead) take(k drawKey) (transform.RGB, error) {
	a.mu.Lock()
	s := a.slots[k]
	if s == nil || s.state == waiting {
		delete(a.slots, k)
		a.mu.Unlock()
		return a.make(k)
	}
	a.mu.Unlock()
	<-s.done
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.slots[k] == s {
		a.remove(k, s)
		a.start()
	}
	return s.m, s.err
}

// close forgets everything and waits for the workers.
func (a *ahead) close() {
	a.announce(nil)
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.running > 0 {
		a.idle.Wait()
	}
}
