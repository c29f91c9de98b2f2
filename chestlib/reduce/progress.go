package reduce

import (
	"context"
	"fmt"
)

// Progress is what a long reduction reports to; *display.Progress is one.
type Progress interface {
	Start(total int, what string)
	Set(done int, status string)
	Finish(status string)
}

// report is how far a reduction is. Its context ends with the caller's.
type report struct {
	ctx   context.Context
	to    Progress // or nil
	name  string   // of the method, for errors
	total int
}

// newReport begins total steps.
func newReport(ctx context.Context, to Progress, name string, total int) report {
	if to != nil {
		to.Start(total, name)
	}
	return report{ctx, to, name, total}
}

// set says that so many steps are done. It returns an error when the context
// has ended.
func (r report) set(done int, status string) error {
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("reduce: %s: stopped after step %d of %d: %w", r.name, done, r.total, err)
	}
	if r.to != nil {
		r.to.Set(done, status)
	}
	return nil
}

// finish ends it.
func (r report) finish() {
	if r.to != nil {
		r.to.Finish("")
	}
}
