package metric

import "sync"

// Progress is what a long measurement reports to; *display.Progress is one.
type Progress interface {
	Start(total int, what string)
	Set(done int, status string)
	Finish(status string)
}

// report counts what is done.
type report struct {
	mu   sync.Mutex
	to   Progress // or nil
	done int
}

func newReport(to Progress, total int, what string) *report {
	if to != nil {
		to.Start(total, what)
	}
	return &report{to: to}
}

func (r *report) add(n int) {
	if r.to == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done += n
	r.to.Set(r.done, "")
}

// set says that so much is done.
func (r *report) set(done int, status string) {
	if r.to != nil {
		r.to.Set(done, status)
	}
}

func (r *report) finish() {
	if r.to != nil {
		r.to.Finish("")
	}
}
