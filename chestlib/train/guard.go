package train

import (
	"fmt"
	"math"
	"os"

	"github.com/chestlab/chest/chestlib/loss"
)

// notFinite names the first term of l that is NaN or infinite, or "".
func notFinite(l loss.Terms) string {
	for _, p := range l.Parts {
		if !finite(p.Value) {
			return p.Name
		}
	}
	for _, v := range []struct {
		name  string
		value float64
	}{{"E", l.E}, {"Merge", l.Merge}, {"H", l.H}, {"Tree", l.Tree}, {"Total", l.Total}} {
		if !finite(v.value) {
			return v.name
		}
	}
	return ""
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// remedy says of a step whose numbers are not finite what is likely to help: an
// item that is not finite itself is to be corrected.
func (t *Trainer) remedy(b Batch) string {
	d := t.Model.In().Size()
	for i := range min(len(b.Items), len(t.x)/d) {
		for j, v := range t.x[i*d : (i+1)*d] {
			if !finite(float64(v)) {
				return fmt.Sprintf(": item %d of the training set holds %g at number %d; correct it, or leave the item out", b.Items[i], v, j)
			}
		}
	}
	return fmt.Sprintf("%s; a smaller Rate (now %g) or smaller items may help", t.largest(b), t.o.Rate)
}

// largest says where the numbers of a step are largest, for errors: what went
// into the model, and the model's and the loss's weights.
//
//	; largest: item 17 with 3e+38, trunk.0.weight with 2.1, proxies.H with 40
func (t *Trainer) largest(b Batch) string {
	item, top := -1, -1.0
	d := t.Model.In().Size()
	for i := range min(len(b.Items), len(t.x)/d) {
		if m := magnitude(t.x[i*d : (i+1)*d]); m > top {
			item, top = b.Items[i], m
		}
	}
	text := ""
	if item >= 0 {
		text = fmt.Sprintf("; largest: item %d with %.3g", item, top)
	}
	name, top := "", -1.0
	for _, p := range t.params {
		if m := magnitude(p.Value); m > top {
			name, top = p.Name, m
		}
	}
	text += fmt.Sprintf(", %s with %.3g", name, top)
	name, top = "", -1.0
	for _, p := range t.engine.Params() {
		if m := magnitude(p.Value); m > top {
			name, top = p.Name, m
		}
	}
	if name != "" {
		text += fmt.Sprintf(", %s with %.3g", name, top)
	}
	return text
}

// magnitude is the largest absolute value of x; NaN counts as infinite.
func magnitude(x []float32) (top float64) {
	for _, v := range x {
		m := math.Abs(float64(v))
		if math.IsNaN(m) {
			return math.Inf(1)
		}
		top = max(top, m)
	}
	return top
}

const (
	allClipped = 0.999 // share of clipped rows from which distances tell no more than angles
	diverging  = 2     // times the least loss of an epoch so far
)

// inspect warns of what an epoch shows to be wrong, each kind once a trainer.
func (t *Trainer) inspect(e Epoch) {
	if t.Loss.Uses() != loss.OnlyE && e.Loss.Clipped >= allClipped {
		t.warn("clipped", fmt.Sprintf("epoch %d: %.1f %% of the features are at the clip radius: hyperbolic distances tell no more than angles; a larger Clip, a soft one or a smaller HeadRate may help", e.Number, 100*e.Loss.Clipped))
	}
	least := math.Inf(1)
	for _, h := range t.history {
		least = min(least, h.Loss.Total)
	}
	if least > 0 && e.Loss.Total > diverging*least {
		t.warn("diverged", fmt.Sprintf("epoch %d: the loss is %.3g after %.3g: training diverges; a smaller Rate (now %g) may help", e.Number, e.Loss.Total, least, t.o.Rate))
	}
}

// warn says text, unless something of its kind was said already.
func (t *Trainer) warn(kind, text string) {
	if t.warned[kind] {
		return
	}
	t.warned[kind] = true
	switch {
	case t.o.OnWarn != nil:
		t.o.OnWarn(text)
	case !t.o.Silent:
		fmt.Fprintln(os.Stderr, "train: warning:", text)
	}
}
