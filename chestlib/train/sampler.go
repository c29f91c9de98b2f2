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
	s.classes = min(classes, s.present())
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
		decks[y] = deck{cards: append([]int(nil), items...), next: len(items)}
	}
	order := s.order(rng)
	batches := make([]Batch, s.steps)
	for b := range batches {
		drawn := make(map[int]bool, s.classes)
		for len(drawn) < s.classes {
			y := order.draw(rng)
			if drawn[y] { // two rounds meet inside this batch
				continue
			}
			drawn[y] = true
			for range s.perClass {
				batches[b].Items = append(batches[b].Items, decks[y].draw(rng))
				batches[b].Labels = append(batches[b].Labels, y)
			}
		}
	}
	return batches
}

// order is the deck of classes that have items.
func (s *Sampler) order(rng *rand.Rand) *deck {
	d := &deck{}
	for y, items := range s.items {
		if len(items) > 0 {
			d.cards = append(d.cards, y)
		}
	}
	d.next = len(d.cards)
	return d
}

// present counts the classes that have items.
func (s *Sampler) present() (n int) {
	for _, items := range s.items {
		if len(items) > 0 {
			n++
		}
	}
	return n
}

// deck deals its cards in random order and shuffles anew when all are dealt.
type deck struct {
	cards []int
	next  int
}

func (d *deck) draw(rng *rand.Rand) int {
	if d.next == len(d.cards) {
		rng.Shuffle(len(d.cards), func(i, j int) { d.cards[i], d.cards[j] = d.cards[j], d.cards[i] })
		d.next = 0
	}
	c := d.cards[d.next]
	d.next++
	return c
}
