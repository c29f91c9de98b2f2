package datasets

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/chestlab/chest/datasets/transform"
)

// counting makes pictures of one pixel and counts them.
type counting struct {
	mu      sync.Mutex
	made    map[drawKey]int
	now     int
	most    int
	release chan struct{} // if not nil, each picture waits for it
}

func (c *counting) make(k drawKey) (transform.RGB, error) {
	c.mu.Lock()
	c.made[k]++
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	if c.release != nil {
		<-c.release
	}
	m := transform.NewRGB(1, 1)
	m.Pix[0] = uint8(k.item)
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
	return m, nil
}

func (c *counting) total() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.made {
		n += m
	}
	return n
}

func keys(items ...int) (k []drawKey) {
	for _, i := range items {
		k = append(k, drawKey{item: i})
	}
	return k
}

// settled waits until no worker runs.
func settled(a *ahead) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.running > 0 {
		a.idle.Wait()
	}
}

// TestAheadIsBounded: no more is made than may be held until something is
// fetched; each picture is made once; the order is the announced one.
func TestAheadIsBounded(t *testing.T) {
	c := &counting{made: map[drawKey]int{}}
	a := newAhead(2, 3, c.make)
	a.announce(keys(0, 1, 2, 3, 4, 5, 6, 7))
	settled(a)
	if n := c.total(); n != 3 || c.made[drawKey{item: 0}]+c.made[drawKey{item: 1}]+c.made[drawKey{item: 2}] != 3 {
		t.Fatalf("made %v", c.made)
	}
	for i := range 8 {
		if m, err := a.take(drawKey{item: i}); err != nil || m.Pix[0] != uint8(i) {
			t.Fatalf("picture %d is %v, %v", i, m.Pix, err)
		}
		a.mu.Lock()
		if a.held > 3 {
			t.Errorf("%d held", a.held)
		}
		a.mu.Unlock()
	}
	settled(a)
	if n := c.total(); n != 8 || c.most > 3 || len(a.slots) != 0 || a.held != 0 {
		t.Errorf("made %d pictures, %d at once; %d slots and %d held are left", n, c.most, len(a.slots), a.held)
	}
}

// TestAheadForgets: a new announcement drops the old, keeps what it names again,
// and makes nothing twice.
func TestAheadForgets(t *testing.T) {
	c := &counting{made: map[drawKey]int{}}
	a := newAhead(1, 4, c.make)
	a.announce(keys(0, 1, 2, 3))
	settled(a)
	a.announce(keys(3, 9))
	settled(a)
	if len(a.slots) != 2 || a.held != 2 || c.made[drawKey{item: 3}] != 1 || c.made[drawKey{item: 9}] != 1 {
		t.Errorf("%d slots, %d held, made %v", len(a.slots), a.held, c.made)
	}
	a.close()
	if len(a.slots) != 0 || a.held != 0 {
		t.Errorf("%d slots, %d held after close", len(a.slots), a.held)
	}
}

// TestAheadDropsWhatIsBeingMade, unless it is announced again meanwhile.
func TestAheadDropsWhatIsBeingMade(t *testing.T) {
	for _, again := range []bool{false, true} {
		c := &counting{made: map[drawKey]int{}, release: make(chan struct{})}
		a := newAhead(1, 4, c.make)
		a.announce(keys(0))
		for c.total() == 0 {
			runtime.Gosched()
		}
		a.announce(nil)
		left := 0
		if again {
			a.announce(keys(0))
			left = 1
		}
		close(c.release)
		settled(a)
		if a.held != left || len(a.slots) != left || c.total() != 1 {
			t.Errorf("again %v: %d held, %d slots, %d made", again, a.held, len(a.slots), c.total())
		}
	}
}

// TestAheadNeverWaitsForRoom: a picture that is asked for out of turn, while all
// room is taken, is made by who asks.
func TestAheadNeverWaitsForRoom(t *testing.T) {
	c := &counting{made: map[drawKey]int{}}
	a := newAhead(2, 1, c.make)
	a.announce(keys(0, 1, 2))
	settled(a)
	got := make(chan uint8)
	go func() {
		for _, i := range []int{2, 1, 0} {
			m, _ := a.take(drawKey{item: i})
			got <- m.Pix[0]
		}
	}()
	for _, want := range []uint8{2, 1, 0} {
		select {
		case v := <-got:
			if v != want {
				t.Errorf("picture %d, want %d", v, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it waits for ever")
		}
	}
	if c.total() != 3 {
		t.Errorf("made %d", c.total())
	}
}
