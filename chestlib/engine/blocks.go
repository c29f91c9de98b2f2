package engine

// block is a range of classes whose proxies are computed together. In a block
// of n classes, proxy k of class first+c is row k·n+c: proxies of the same
// number lie side by side, so that vectors run over classes.
type block struct {
	first, n int // classes
	at       int // row of the block's first proxy among all, = first·K
}

const (
	blockColumns = 512 // proxies of a block, about: what stays in cache with 256 rows of similarities
	blockStep    = 16  // classes: the widest vector
	someBlocks   = 8   // to have, if there are classes enough, for threads to share
)

// cut cuts classes with k proxies each into blocks. It depends on the sizes alone, so
// that sums do not depend on the number of threads.
func cut(classes, k int) []block {
	most := max(blockColumns/k/blockStep*blockStep, blockStep)
	n := (classes + someBlocks - 1) / someBlocks
	n = min((n+blockStep-1)/blockStep*blockStep, most)
	var all []block
	for first := 0; first < classes; first += n {
		all = append(all, block{first: first, n: min(n, classes-first), at: first * k})
	}
	return all
}

// row is where proxy k of a class lies, in proxies of their mapped order.
func row(blocks []block, class, k, proxies int) int {
	b := blocks[class/blocks[0].n]
	return b.at + k*b.n + class - b.first
}
