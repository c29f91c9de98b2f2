package train

import (
	"math/rand/v2"
	"slices"

	"github.com/chestlab/chest/chestlib/model"
)

// draw numbers the draw of place k of the batch of a step: a function of seed,
// step and place, so that a resumed run draws what the other would have.
func (t *Trainer) draw(step, k int) uint64 {
	return rand.NewPCG(t.o.Seed, 0xd2a3<<32|uint64(step)).Uint64() + uint64(k)
}

// prefetch tells a source that can use it what this step and the one after it
// will ask for. The next batch is known if b is one of those that Batches or the
// epoch has made, not changed.
func (t *Trainer) prefetch(b Batch) {
	p, ok := t.src.(model.Prefetcher)
	if !ok {
		return
	}
	batches := []Batch{b}
	if i := slices.IndexFunc(t.coming, func(c Batch) bool { return sameBatch(b, c) }); i >= 0 {
		t.coming = t.coming[i+1:]
		batches = append(batches, t.coming[:min(1, len(t.coming))]...)
	}
	_, random := t.src.(model.Drawer)
	var items []int
	var draws []uint64
	for n, b := range batches {
		for k, item := range b.Items {
			items = append(items, item)
			if random {
				draws = append(draws, t.draw(t.steps+n, k))
			}
		}
	}
	p.Prefetch(items, draws)
}

// forget drops what was announced.
func (t *Trainer) forget() {
	t.coming = nil
	if p, ok := t.src.(model.Prefetcher); ok {
		p.Prefetch(nil, nil)
	}
}

// sameBatch says whether two batches are one in memory.
func sameBatch(a, b Batch) bool {
	return len(a.Items) > 0 && len(a.Items) == len(b.Items) && &a.Items[0] == &b.Items[0]
}
