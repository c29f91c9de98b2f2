package display

// Tracker counts the rounds of a loop and shows how far it is:
//
//	for t := display.Track(len(files), "reading"); t.Next(); {
//		read(files[t.I])
//	}
//
// A loop that is left early should call Stop.
type Tracker struct {
	I int // the present round, from 0

	n    int
	next int
	p    *Progress
}

// Track begins a loop of n rounds called what.
func Track(n int, what string) *Tracker {
	return &Tracker{n: n, I: -1, p: NewProgress(n, what)}
}

// Next begins the next round and says whether there is one.
func (t *Tracker) Next() bool {
	if t.next >= t.n {
		if t.next == t.n {
			t.p.Set(t.n, t.p.said())
			t.p.Finish(t.p.said())
			t.next++
		}
		return false
	}
	t.I = t.next
	t.next++
	if t.I > 0 {
		t.p.Set(t.I, t.p.said())
	}
	return true
}

// Say adds a short status to the present round, such as the loss.
func (t *Tracker) Say(status string) { t.p.Set(t.I, status) }

// Stop ends the loop before its last round.
func (t *Tracker) Stop() {
	if t.next <= t.n {
		t.next = t.n + 1
		t.p.Finish("stopped")
	}
}

// said is the present status.
func (p *Progress) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}
