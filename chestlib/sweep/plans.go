package sweep

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
)

// Losses is the rows of a comparison of CHEST with the losses of the field, one
// for each loss. A loss is tried at two rates and at two or three values of the
// one number of its own that sets its scale, the published one first; losses of
// several proxies with one and with ten of them, losses of single proxies with
// two rates of these. All have the model and the number of items a batch in
// common.
func Losses(epochs int) []Row {
	pairs := shape{16, 4} // losses of pairs need some in each batch
	soft := func(name string, o loss.CHESTOptions) Row {
		var choices []choice
		for _, scale := range []float64{1, 0.25} {
			for _, k := range []int{10, 1} {
				o.E, o.H = loss.SoftTripleOptions{Lambda: 20 * scale, Proxies: k}, loss.HyperSoftTripleOptions{Lambda: 5 * scale}
				choices = append(choices, choice{fmt.Sprintf("λ ×%g, K %d", scale, k), 0, o})
			}
		}
		return lossRow(name, epochs, shape{32, 2}, choices)
	}
	single := func(name, number string, published float64, make func(v float64) loss.Recipe) Row {
		choices := scaled(number, published, make)
		for _, c := range scaled(number, published, make) {
			c.note, c.proxyRate = c.note+", proxies ×10", 10
			choices = append(choices, c)
		}
		return lossRow(name, epochs, shape{32, 2}, choices)
	}
	ofPairs := func(name, number string, published float64, make func(v float64) loss.Recipe) Row {
		return lossRow(name, epochs, pairs, scaled(number, published, make))
	}
	return []Row{
		soft("softtriple", loss.CHESTOptions{Space: loss.OnlyE}),
		soft("hyper-softtriple", loss.CHESTOptions{Space: loss.OnlyH, NoTree: true}),
		soft("both, no tree", loss.CHESTOptions{NoTree: true}),
		soft("chest", loss.CHESTOptions{}),
		single("proxy-nca++", "T", 1.0/9, func(v float64) loss.Recipe { return loss.ProxyNCAOptions{Temperature: v} }),
		single("proxy-anchor", "α", 32, func(v float64) loss.Recipe { return loss.ProxyAnchorOptions{Alpha: v} }),
		ofPairs("multi-similarity", "β", 50, func(v float64) loss.Recipe { return loss.MultiSimilarityOptions{Beta: v} }),
		ofPairs("pair-cross-entropy/sphere", "T", 0.1, func(v float64) loss.Recipe {
			return loss.PairCrossEntropyOptions{Geometry: loss.Sphere, Temperature: v}
		}),
		ofPairs("pair-cross-entropy", "T", 0.2, func(v float64) loss.Recipe { return loss.PairCrossEntropyOptions{Temperature: v} }),
		ofPairs("triplet", "margin", 0.2, func(v float64) loss.Recipe { return loss.TripletOptions{Margin: v} }),
		ofPairs("contrastive", "margin", 1, func(v float64) loss.Recipe { return loss.ContrastiveOptions{Margin: v} }),
		ofPairs("supcon", "T", 0.1, func(v float64) loss.Recipe { return loss.SupConOptions{Temperature: v} }),
		ofPairs("hier", "weight", 0.5, func(v float64) loss.Recipe { // with fewer ancestors, for the few classes here
			return loss.Sum(1, loss.ProxyAnchorOptions{Geometry: loss.Angle}, v, loss.HIEROptions{Ancestors: 64, Triplets: 10})
		}),
	}
}

// Choices is the rows of a search among what the CHEST paper leaves open, each
// alternative against the defaults, all at one rate. The row "defaults" is the
// zero value of the options.
func Choices(epochs int) []Row {
	var rows []Row
	add := func(name string, m model.Options, o loss.CHESTOptions, change ...func(o *train.Options)) {
		t := base(epochs, shape{32, 2}, 4e-3, o)
		m.Trunk, m.DE, m.DH = t.Model.Trunk, t.Model.DE, t.Model.DH
		t.Model = m
		for _, f := range change {
			f(&t.Train)
		}
		rows = append(rows, Row{Name: name, Variants: []Trial{t}})
	}
	add("defaults", model.Options{}, loss.CHESTOptions{})
	for _, s := range []struct {
		name                 string
		s                    loss.Similarity
		lambda, gamma, delta float64
	}{
		{"similarity -d²", loss.NegativeSquared, 1, 2, 0.5},
		{"similarity exp(-d)", loss.Exponential, 20, 0.1, 0.01},
		{"similarity -d/4r", loss.Rescaled, 40, 0.05, 0.01},
	} {
		add(s.name, model.Options{}, loss.CHESTOptions{H: loss.HyperSoftTripleOptions{Similarity: s.s, Lambda: s.lambda, Gamma: s.gamma, Delta: s.delta}})
	}
	add("soft clip", model.Options{SoftClip: true}, loss.CHESTOptions{})
	add("learned clip", model.Options{LearnClip: true}, loss.CHESTOptions{})
	add("learned curvature", model.Options{LearnCurvature: true}, loss.CHESTOptions{})
	add("separate trunks", model.Options{Separate: true}, loss.CHESTOptions{})
	add("clip 1", model.Options{Clip: 1}, loss.CHESTOptions{})
	add("clip 5", model.Options{Clip: 5}, loss.CHESTOptions{})
	add("no clip", model.Options{Clip: -1}, loss.CHESTOptions{})
	add("curvature 0.01", model.Options{Curvature: 0.01}, loss.CHESTOptions{})
	add("curvature 1", model.Options{Curvature: 1}, loss.CHESTOptions{})
	add("flat", model.Options{Flat: true}, loss.CHESTOptions{})
	add("free proxies", model.Options{}, loss.CHESTOptions{H: loss.HyperSoftTripleOptions{FreeProxies: true}})
	add("no tree", model.Options{}, loss.CHESTOptions{NoTree: true})
	add("tree weight 2", model.Options{}, loss.CHESTOptions{WeightTree: 2})
	add("tree of class means", model.Options{}, loss.CHESTOptions{Tree: loss.HypHCOptions{Leaves: loss.MeanLeaves}})
	add("tree of the batch's classes", model.Options{}, loss.CHESTOptions{Tree: loss.HypHCOptions{Sampling: loss.BatchTriplets}})
	add("tree of near leaves", model.Options{}, loss.CHESTOptions{Tree: loss.HypHCOptions{Sampling: loss.NearTriplets}})
	add("tree annealed", model.Options{}, loss.CHESTOptions{Tree: loss.HypHCOptions{Anneal: 0.8}})
	add("tree aware of labels", model.Options{}, loss.CHESTOptions{Tree: loss.HypHCOptions{LabelAware: true}})
	add("weight of H 0.5", model.Options{}, loss.CHESTOptions{WeightH: 0.5})
	add("weight of H 2", model.Options{}, loss.CHESTOptions{WeightH: 2})
	add("2 proxies", model.Options{}, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 2}})
	add("1 proxy", model.Options{}, loss.CHESTOptions{E: loss.SoftTripleOptions{Proxies: 1}})
	add("λ of both / 4", model.Options{}, loss.CHESTOptions{E: loss.SoftTripleOptions{Lambda: 5}, H: loss.HyperSoftTripleOptions{Lambda: 1.25}})
	add("λ of both · 2", model.Options{}, loss.CHESTOptions{E: loss.SoftTripleOptions{Lambda: 40}, H: loss.HyperSoftTripleOptions{Lambda: 10}})
	add("rate of proxies ×0.3", model.Options{}, loss.CHESTOptions{}, func(o *train.Options) { o.ProxyRate = 0.3 })
	add("rate of proxies ×3", model.Options{}, loss.CHESTOptions{}, func(o *train.Options) { o.ProxyRate = 3 })
	add("rate of proxies ×10", model.Options{}, loss.CHESTOptions{}, func(o *train.Options) { o.ProxyRate = 10 })
	return rows
}

// rates are tried by every row of Losses.
var rates = []float64{2e-3, 6e-3}

// shape is classes of a batch and items of each.
type shape struct{ classes, perClass int }

// base is what all trials have in common.
func base(epochs int, s shape, rate float64, l loss.Recipe) Trial {
	return Trial{
		Model: model.Options{Trunk: "conv", DE: 64, DH: 64},
		Train: train.Options{Epochs: epochs, Classes: s.classes, PerClass: s.perClass, Rate: rate, Loss: l},
		Note:  fmt.Sprintf("rate %g", rate),
	}
}

// choice is a loss with the name of what sets it apart.
type choice struct {
	note      string
	proxyRate float64 // 0 means train's default
	recipe    loss.Recipe
}

// scaled makes three losses: of the published value of a number, of its half and
// of its double.
func scaled(name string, published float64, make func(v float64) loss.Recipe) (all []choice) {
	for _, v := range []float64{published, published / 2, 2 * published} {
		all = append(all, choice{fmt.Sprintf("%s %.3g", name, v), 0, make(v)})
	}
	return all
}

// lossRow makes a row with a variant for each choice and rate.
func lossRow(name string, epochs int, s shape, choices []choice) Row {
	row := Row{Name: name}
	for _, c := range choices {
		for _, rate := range rates {
			t := base(epochs, s, rate, c.recipe)
			t.Train.ProxyRate = c.proxyRate
			t.Note += ", " + c.note
			row.Variants = append(row.Variants, t)
		}
	}
	return row
}
