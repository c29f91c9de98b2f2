package viz

import (
	"fmt"
	"image"
	"slices"
)

// Query is an image with the nearest ones of a gallery.
type Query struct {
	Image image.Image // nil leaves its place grey
	Class string
	Hits  []Hit // the nearest first
}

// Hit is one image of a gallery. It is right if it has the class of the query.
type Hit struct {
	Image    image.Image // nil leaves its place grey
	Class    string
	Distance float64 // or similarity, see RetrievalOptions.Measure
}

// RetrievalOptions says how Retrieval draws. The zero value draws 19 hits of
// each query.
type RetrievalOptions struct {
	Title   string // above the picture; "" means none
	Caption string // one line under the title; "" means how many hits are right
	Hits    int    // most hits that are drawn of each query; 0 means 19
	Size    int    // side of an image in pixels, 24 to 256; 0 means 48 for more than 12 hits, else 72
	Measure string // what the numbers under the images are; "" means "distance"
}

// RetrievalFigure is a picture of queries with their nearest images.
type RetrievalFigure struct {
	forms
	o       RetrievalOptions
	queries []Query
	columns int // hits of the longest row
}

// Retrieval draws queries with the nearest images of a gallery, a row for each:
// at the left the query, set apart by a rule, then hits in columns numbered
// from 1. The frame of a hit is green if it has the class of the query; if not,
// it is red, and its class is marked by a cross. Under each image stand its
// class and its distance. Choose queries by a seed, or the worst first: never
// only those that succeed.
//
// Of each image the square in its middle is shown, as networks see it.
// Retrieval keeps the images, not copies of them. A distance that is not finite
// is an error of the picture's forms, which names query and hit. Retrieval
// panics if Hits is negative or Size is out of its range.
//
// Source of the form: the figure of the CHEST paper that shows a query and its
// 19 nearest images.
func Retrieval(queries []Query, o RetrievalOptions) *RetrievalFigure {
	if o.Hits < 0 || o.Size != 0 && (o.Size < 24 || o.Size > 256) {
		panic(fmt.Sprintf("viz: retrieval: Hits %d and Size %d, want Hits of 0 or more and a Size of 0 or 24 to 256", o.Hits, o.Size))
	}
	if o.Hits == 0 {
		o.Hits = 19
	}
	if o.Measure == "" {
		o.Measure = "distance"
	}
	f := &RetrievalFigure{o: o, queries: slices.Clone(queries)}
	f.forms = forms{f}
	for i, q := range f.queries {
		f.queries[i].Hits = slices.Clone(q.Hits[:min(len(q.Hits), o.Hits)])
		f.columns = max(f.columns, len(f.queries[i].Hits))
	}
	if o.Size == 0 {
		f.o.Size = 48
		if f.columns <= 12 {
			f.o.Size = 72
		}
	}
	return f
}

// check returns the first distance that cannot be drawn as an error.
func (f *RetrievalFigure) check() error {
	for i, q := range f.queries {
		for k, h := range q.Hits {
			if !finite(h.Distance) {
				return fmt.Errorf("viz: retrieval: series %q row %d: the %s of hit %d is %g; a picture needs finite numbers", nameOf([]string{q.Class}, 0, "query"), i, f.o.Measure, k+1, h.Distance)
			}
		}
	}
	return nil
}

// right says whether hit k of query i has its class.
func (f *RetrievalFigure) right(i, k int) bool {
	return f.queries[i].Hits[k].Class == f.queries[i].Class
}

// caption is that of the options, or how many hits are right.
func (f *RetrievalFigure) caption() string {
	if f.o.Caption != "" {
		return f.o.Caption
	}
	return join(" · ", f.score(), "under each image its class and "+f.o.Measure)
}

// score is how many hits are right.
func (f *RetrievalFigure) score() string {
	hits, right := 0, 0
	for i, q := range f.queries {
		hits += len(q.Hits)
		for k := range q.Hits {
			if f.right(i, k) {
				right++
			}
		}
	}
	queries := thousands(len(f.queries)) + " queries"
	if len(f.queries) == 1 {
		queries = "1 query"
	}
	return fmt.Sprintf("%s · %s of %s right", queries, thousands(right), count(hits, "hit"))
}

// Alt says in one line what the picture shows.
func (f *RetrievalFigure) Alt() string {
	what := "Retrieval"
	if f.o.Title != "" {
		what += ": " + f.o.Title
	}
	return join("; ", what, f.score(), f.o.Caption)
}
