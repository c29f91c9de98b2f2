package train

import (
	"context"
	"errors"
	"fmt"
	"html"
	"strings"
)

// JobProgress is how far a job is.
type JobProgress struct {
	Device         string // as On says it; the GPU by its name when it has begun, and what multiplies, if not chest
	Step, Steps    int    // done by this job, and to do
	Epoch, Epochs  int    // in progress or last, from 1; of the whole training
	Loss           float64
	Rate           float64
	ItemsPerSecond float64   // mean over the job
	Memory         int       // bytes on the GPU that weights, items and workspace take; 0 on the processor
	Losses         []float64 // of the job's steps, of every second, fourth … if there are many
	Seconds        float64   // since Dispatch
	Done           bool
	Err            error // why it ended; nil if it did all

	note string // closing words of a panel
}

// String is the progress on one line.
func (p JobProgress) String() string {
	var b strings.Builder
	switch {
	case errors.Is(p.Err, context.Canceled):
		b.WriteString("stopped")
	case p.Err != nil:
		b.WriteString("failed")
	case p.Done && p.Step < p.Steps && p.note != "":
		b.WriteString("stopped")
	case p.Done:
		b.WriteString("done")
	default:
		b.WriteString("running")
	}
	fmt.Fprintf(&b, " on %s: %d of %d steps", p.Device, p.Step, p.Steps)
	if p.Epoch > 0 {
		fmt.Fprintf(&b, ", epoch %d/%d, loss %.3f, rate %.2g, %.0f items/s", p.Epoch, p.Epochs, p.Loss, p.Rate, p.ItemsPerSecond)
	}
	if p.Memory > 0 {
		fmt.Fprintf(&b, ", GPU memory %.1f MB", float64(p.Memory)/1e6)
	}
	fmt.Fprintf(&b, ", %.1f s", p.Seconds)
	if p.Err != nil {
		fmt.Fprintf(&b, ": %v", p.Err)
	} else if p.note != "" {
		b.WriteString(" · " + p.note)
	}
	return b.String()
}

// MIMEBundle is the progress with the curve of the loss.
func (p JobProgress) MIMEBundle() map[string]any {
	text := p.String()
	h := fmt.Sprintf(`<div>%s<br><progress value="%d" max="%d"></progress>`, html.EscapeString(text), p.Step, max(p.Steps, 1))
	return map[string]any{"text/plain": text, "text/html": h + p.curve() + "</div>"}
}

// curve draws Losses as a line; the axis begins at 0.
func (p JobProgress) curve() string {
	const width, height = 400.0, 80.0
	top := 0.0
	for _, l := range p.Losses {
		if finite(l) {
			top = max(top, l)
		}
	}
	if len(p.Losses) < 2 || !(top > 0) {
		return ""
	}
	var at []string
	for i, l := range p.Losses {
		if finite(l) {
			at = append(at, fmt.Sprintf("%.1f,%.1f", width*float64(i)/float64(len(p.Losses)-1), height*(1-max(l, 0)/top)))
		}
	}
	return fmt.Sprintf(`<br><svg width="%g" height="%g" viewBox="-2 -2 %g %g" role="img" aria-label="loss from %.3f to %.3f">`+
		`<polyline points="%s" fill="none" stroke="#1f77b4" stroke-width="1.5"/></svg>`,
		width+4, height+4, width+4, height+4, p.Losses[0], p.Losses[len(p.Losses)-1], strings.Join(at, " "))
}
