package viz

import (
	"fmt"
	"image/color"
	"math"
	"slices"
)

// steps is a histogram as a line of steps: heights over bins between edges.
type steps struct {
	edges, heights []float64 // edges has one more
}

// evenEdges are the edges of equal bins from lo to hi.
func evenEdges(lo, hi float64, bins int) []float64 {
	lo, hi = widened(lo, hi)
	edges := make([]float64, bins+1)
	for i := range edges {
		edges[i] = lo + (hi-lo)*float64(i)/float64(bins)
	}
	edges[bins] = hi
	return edges
}

// counted counts x between even edges; the last bin has both its edges.
func counted(x, edges []float64) []int {
	bins := len(edges) - 1
	lo, wide := edges[0], edges[bins]-edges[0]
	counts := make([]int, bins)
	for _, v := range x {
		k := int(math.Floor((v - lo) / wide * float64(bins)))
		counts[min(max(k, 0), bins-1)]++
	}
	return counts
}

// density is the heights of a histogram of area 1; of no values, 0.
func density(counts []int, edges []float64) []float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	h := make([]float64, len(counts))
	for i, c := range counts {
		if total > 0 {
			h[i] = float64(c) / float64(total) / (edges[i+1] - edges[i])
		}
	}
	return h
}

// highest is the largest height of all.
func highest(all ...[]float64) (most float64) {
	for _, h := range all {
		if len(h) > 0 {
			most = max(most, slices.Max(h))
		}
	}
	return most
}

// option is the steps as a series with a filled area, on the axes number grid.
func (s steps) option(name string, grid int, c color.RGBA, dashed bool) obj {
	kind := "solid"
	if dashed {
		kind = "dashed"
	}
	data := make([][2]float64, 0, len(s.edges))
	for i, e := range s.edges {
		h := 0.0
		if i < len(s.heights) {
			h = s.heights[i]
		}
		data = append(data, [2]float64{digits6(e), digits6(h)})
	}
	return obj{
		"type": "line", "name": name, "step": "end", "symbol": "none", "xAxisIndex": grid, "yAxisIndex": grid,
		"lineStyle": obj{"color": hexOf(c), "width": 1.5, "type": kind},
		"itemStyle": obj{"color": hexOf(c)},
		"areaStyle": obj{"color": hexOf(c), "opacity": areaOpacity},
		"data":      data,
	}
}

// areaOpacity is that of the area under steps.
const areaOpacity = 0.25

// paint draws the steps into the plot area at.
func (s steps) paint(to *sheet, at place, x, y scale, c color.RGBA, dashed bool) {
	floor := at.y + at.h*(1-y.part(0))
	line := [][2]float64{{at.x + at.w*x.part(s.edges[0]), floor}}
	for i, h := range s.heights {
		top := at.y + at.h*(1-y.part(h))
		line = append(line, [2]float64{at.x + at.w*x.part(s.edges[i]), top}, [2]float64{at.x + at.w*x.part(s.edges[i+1]), top})
	}
	line = append(line, [2]float64{at.x + at.w*x.part(s.edges[len(s.edges)-1]), floor})
	to.fill(fade(c, areaOpacity), line...)
	to.trace(c, 1.5, dashed, line...)
}

// firstBad is the first of x that cannot be drawn, as an error about series of
// a figure.
func firstBad(figure, series string, x []float64) error {
	for i, v := range x {
		if !finite(v) {
			return fmt.Errorf("viz: %s: series %q row %d is %g; a picture needs finite numbers", figure, series, i, v)
		}
	}
	return nil
}
