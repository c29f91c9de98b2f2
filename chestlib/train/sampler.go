package train

import (
	"fmt"
	"math/rand/v2"

	"github.com/chestlab/chest/chestlib/model"
)

// Batch is one step's items, as indices into the training set.
type Batch struct {
	Items  []int
	Labels []int // the class of each item
}

// parts cuts a batch into n parts of equally many classes, which lie together.
func (b Batch) parts(n int) ([]Batch, error) {
	if n == 1 {
		return []Batch{b}, nil
	}
	var begins []int // of runs of one class
	for i, y := range b.Labels {
		if i == 0 || y != b.Labels[i-1] {
			begins = append(begins, i)
		}
	}
	size := len(b.Items) / n
	if len(begins)%n != 0 || len(b.Items)%n != 0 {
		return nil, fmt.Errorf("train: a batch of %d items of %d classes cannot be cut into %d equal parts; set Accumulate to a divisor of Classes", len(b.Items), len(begins), n)
	}
	parts := make([]Batch, n)
	for i := range parts {
		lo, hi := i*size, (i+1)*size
		if b.Labels[lo] == b.Labels[max(lo-1, 0)] && lo > 0 {
			return nil, fmt.Errorf("train: a class lies on both sides of item %d of a batch; set Accumulate to 1", lo)
		}
		parts[i] = Batch{Items: b.Items[lo:hi], Labels: b.Labels[lo:hi]}
	}
	return parts, nil
}

// Sampler draws class-balanced batches: Classes different classes, PerClass
// items of each. The batches of an epoch are a function of seed and epoch
// alone, so a run can begin at any epoch.
//
// Classes come in shuffled rounds, and the items of a class too, so that within
// an epoch each class is drawn equally often (give or take one) and no item a
// second time before all others of its class. A class with fewer than PerClass
// items repeats some.
//
// Proxy losses do not need balance, but pairs and triplets do, and a batch
// without repeated classes says nothing about Recall.
type Sampler struct {
	classes  int // a batch
	perClass int
	steps    int // an epoch
	seed     uint64
	items    [][]int // class → items
}

// NewSampler looks through the labels of src. classes is cut to the number of
// classes there are; an epoch is as many batches as it takes to draw src.Len()
// items. A src without items or with a negative label is an error.
func NewSampler(src model.Source, classes, perClass int, seed uint64) (*Sampler, error) {
	if src.Len() == 0 {
		return nil, fmt.Errorf("train: the training set is empty")
	}
	s := &Sampler{perClass: perClass, seed: seed}
	for i := range src.Len() {
		y := src.Label(i)
		if y < 0 || y > src.Len()*1000 {
			return nil, fmt.Errorf("train: item %d has label %d; labels must be numbered from 0", i, y)
		}
		for len(s.items) <= y {
			s.items = append(s.items, nil)
		}
		s.items[y] = append(s.items[y], i)
	}
	s.classes = min(classes, len(s.present()))
	s.steps = (src.Len() + s.classes*perClass - 1) / (s.classes * perClass)
	return s, nil
}

// Classes is the number of classes: the largest label plus one.
func (s *Sampler) Classes() int { return len(s.items) }

// Steps is the number of batches of an epoch.
func (s *Sampler) Steps() int { return s.steps }

// Epoch returns the batches of one epoch.
func (s *Sampler) Epoch(epoch int) []Batch {
	rng := rand.New(rand.NewPCG(s.seed, 0x5a3d<<32|uint64(epoch)))
	decks := make([]deck, len(s.items))
	for y, items := range s.items {
		decks[y] = newDeck(items, rng)
	}
	order := newDeck(s.present(), rng)
	batches := make([]Batch, s.steps)
	for b := range batches {
		for _, y := range order.deal(s.classes, rng) {
			for _, item := range decks[y].deal(s.perClass, rng) {
				batches[b].Items = append(batches[b].Items, item)
				batches[b].Labels = append(batches[b].Labels, y)
			}
		}
	}
	return batches
}

// present lists the classes that have items.
func (s *Sampler) present() (classes []int) {
	for y, items := range s.items {
		if len(items) > 0 {
			classes = append(classes, y)
		}
	}
	return classes
}

// deck deals its cards in random order. No card comes again before all others
// have come, and none twice in one deal if there are enough.
type deck struct {
	cards []int
	next  int
}

func newDeck(cards []int, rng *rand.Rand) deck {
	d := deck{cards: append([]int(nil), cards...)}
	shuffle(d.cards, rng)
	return d
}

// deal returns n cards, valid until the next deal.
func (d *deck) deal(n int, rng *rand.Rand) []int {
	if left := len(d.cards) - d.next; left < n {
		dealt := d.cards[:d.next]
		shuffle(dealt, rng)
		d.cards = append(append([]int(nil), d.cards[d.next:]...), dealt...)
		d.next = 0
	}
	if n <= len(d.cards) {
		d.next += n
		return d.cards[d.next-n : d.next]
	}
	hand := make([]int, n) // more than there are: go round
	for i := range hand {
		hand[i] = d.cards[i%len(d.cards)]
	}
	return hand
}

func shuffle(cards []int, rng *rand.Rand) {
	rng.Shuffle(len(cards), func(i, j int) { cards[i], cards[j] = cards[j], cards[i] })
}
