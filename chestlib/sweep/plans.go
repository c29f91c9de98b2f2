package sweep

import (
	"fmt"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/train"
)

// Losses is the rows of a comparison of CHEST with the losses of the field, one
// for each loss. Every loss gets six variants: two rates times three values of
// the one number of its own that matters most, its published value and one on
// each side. All have the model and the number of items a batch in common.
func Losses(epochs int) []Row {
	proxies := []shape{{32, 2}}
	pairs := []shape{{16, 4}} // losses of pairs need some in each batch
	return []Row{
		lossRow("softtriple", epochs, proxies, scaled("λ", 20, func(v float64) loss.Recipe {
			return loss.CHESTOptions{Space: loss.OnlyE, E: loss.SoftTripleOptions{Lambda: v}}
		})),
		lossRow("hyper-softtriple", epochs, proxies, scaled("λ", 5, func(v float64) loss.Recipe {
			return loss.CHESTOptions{Space: loss.OnlyH, NoTree: true, H: loss.HyperSoftTripleOptions{Lambda: v}}
		})),
		lossRow("chest", epochs, proxies, scaled("λ/5 of H, λ/20 of E:", 1, func(v float64) loss.Recipe {
			return loss.CHESTOptions{E: loss.SoftTripleOptions{Lambda: 20 * v}, H: loss.HyperSoftTripleOptions{Lambda: 5 * v}}
		})),
		lossRow("proxy-nca++", epochs, proxies, scaled("T", 1.0/9, func(v float64) loss.Recipe { return loss.ProxyNCAOptions{Temperature: v} })),
		lossRow("proxy-anchor", epochs, proxies, scaled("α", 32, func(v float64) loss.Recipe { return loss.ProxyAnchorOptions{Alpha: v} })),
		lossRow("multi-similarity", epochs, pairs, scaled("β", 50, func(v float64) loss.Recipe { return loss.MultiSimilarityOptions{Beta: v} })),
		lossRow("pair-cross-entropy/sphere", epochs, pairs, scaled("T", 0.1, func(v float64) loss.Recipe {
			return loss.PairCrossEntropyOptions{Geometry: loss.Sphere, Temperature: v}
		})),
		lossRow("pair-cross-entropy", epochs, pairs, scaled("T", 0.2, func(v float64) loss.Recipe { return loss.PairCrossEntropyOptions{Temperature: v} })),
		lossRow("triplet", epochs, pairs, scaled("margin", 0.2, func(v float64) loss.Recipe { return loss.TripletOptions{Margin: v} })),
		lossRow("contrastive", epochs, pairs, scaled("margin", 1, func(v float64) loss.Recipe { return loss.ContrastiveOptions{Margin: v} })),
		lossRow("supcon", epochs, pairs, scaled("T", 0.1, func(v float64) loss.Recipe { return loss.SupConOptions{Temperature: v} })),
		lossRow("hier", epochs, pairs, scaled("weight", 0.5, func(v float64) loss.Recipe { // with fewer ancestors, for the few classes here
			return loss.Sum(1, loss.ProxyAnchorOptions{Geometry: loss.Angle}, v, loss.HIEROptions{Ancestors: 64, Triplets: 10})
		})),
	}
}

// Choices is the rows of a search among what the CHEST paper leaves open, each
// alternative against the defaults, at both rates. The row "defaults" is the
// zero value of the options.
func Choices(epochs int) []Row {
	var rows []Row
	add := func(name string, m model.Options, o loss.CHESTOptions) {
		row := Row{Name: name}
		for _, rate := range rates {
			t := base(epochs, shape{32, 2}, rate, o)
			m.Trunk, m.DE, m.DH = t.Model.Trunk, t.Model.DE, t.Model.DH
			t.Model = m
			row.Variants = append(row.Variants, t)
		}
		rows = append(rows, row)
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
	return rows
}

// rates are tried by every row.
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
	note   string
	recipe loss.Recipe
}

// scaled makes three losses: of the published value of a number, of its half and
// of its double.
func scaled(name string, published float64, make func(v float64) loss.Recipe) (all []choice) {
	for _, v := range []float64{published, published / 2, 2 * published} {
		all = append(all, choice{fmt.Sprintf("%s %.3g", name, v), make(v)})
	}
	return all
}

// lossRow makes a row with a variant for each rate, batch and choice.
func lossRow(name string, epochs int, shapes []shape, choices []choice) Row {
	row := Row{Name: name}
	for _, s := range shapes {
		for _, c := range choices {
			for _, rate := range rates {
				t := base(epochs, s, rate, c.recipe)
				t.Note += ", " + c.note
				row.Variants = append(row.Variants, t)
			}
		}
	}
	return row
}
