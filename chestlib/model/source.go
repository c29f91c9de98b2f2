package model

// Drawer is a Source whose items change at random while a model trains: crops,
// flips, colours. The trainer calls Draw, everybody else Item.
type Drawer interface {
	Source

	// Draw writes one draw of item i into dst, which has c·h·w entries. It is a
	// function of the source, i and draw, and of nothing else, so that a run is one
	// of its seed. The trainer gives draw another value, one of 2⁶⁴, for each item
	// of each step.
	Draw(dst []float32, i int, draw uint64) error
}

// Prefetcher is a Source whose items take time, such as files to decode, and that
// can make them while the model computes.
type Prefetcher interface {
	Source

	// Prefetch announces what will be asked for next, in its order: Draw of
	// items[k] and draws[k], or Item of items[k] if draws is nil. It returns at once.
	// Each call replaces what was announced and not yet fetched; Prefetch(nil, nil)
	// drops it all.
	//
	// An announcement is no promise. Item and Draw return the same bits without one.
	Prefetch(items []int, draws []uint64)
}

// announce tells a source that can use it which items come next: count from
// first, cut at the end of the source.
func announce(src Source, first, count int) {
	p, ok := src.(Prefetcher)
	if !ok {
		return
	}
	var items []int
	for i := first; i < min(first+count, src.Len()); i++ {
		items = append(items, i)
	}
	p.Prefetch(items, nil)
}
