package train

import (
	"time"

	"github.com/chestlab/chest/kernel/display"
)

// panel shows a job, or a Fit on a GPU, in a notebook: one block with the curve of
// the loss, the speed and the memory, replaced at most five times a second.
type panel struct {
	j     *Job
	id    string
	shown time.Time
}

const panelPause = 200 * time.Millisecond

// Start implements Progress.
func (p *panel) Start(int, string) {
	p.id, p.shown = display.NewID(), time.Now()
	_ = display.ShowAs(p.id, p.j.Progress()) // a front end that is gone sees nothing
}

// Set implements Progress.
func (p *panel) Set(int, string) {
	if now := time.Now(); now.Sub(p.shown) >= panelPause {
		p.shown = now
		_ = display.Update(p.id, p.j.Progress())
	}
}

// Finish implements Progress: the block stays as a summary.
func (p *panel) Finish(status string) {
	at := p.j.Progress()
	at.Done, at.note = true, status
	_ = display.Update(p.id, at)
}

// reporter is where a call says how far it is: the curve of j in a notebook, if
// nothing else was asked for.
func (t *Trainer) reporter(j *Job) Progress {
	if display.InNotebook() && t.o.Progress == nil && !t.o.Silent {
		return &panel{j: j}
	}
	return t.progress()
}
