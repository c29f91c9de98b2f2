// Package chestlib is the front door: a dual-space model (one trunk, a
// Euclidean head, a Poincaré-ball head), its training with the CHEST loss and
// its evaluation in both spaces. What a cell or a program imports first.
//
//	split, err := datasets.Blazons(datasets.BlazonsOptions{})
//	m, err := chestlib.NewModel(split.Train, chestlib.ModelOptions{Trunk: "conv"})
//	tr, err := chestlib.NewTrainer(m, split.Train, chestlib.TrainOptions{Epochs: 8})
//	history, err := tr.Fit(display.Context())
//	scores, err := chestlib.Evaluate(display.Context(), m, split.Test)
//
// CHEST is the loss of Saeki, Kawahara and Aman, "Combined Hyperbolic and
// Euclidean Soft Triple Loss Beyond the Single Space Deep Metric Learning"
// (arXiv 2510.05643). Where its public part is silent, our choice is an option
// with a documented default.
package chestlib

import (
	"context"
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/metric"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/reduce"
	"github.com/chestlab/chest/chestlib/train"
)

// The types of the packages below, under one roof.
type (
	Model        = model.Model     // trunk and two heads
	ModelOptions = model.Options   // the zero value is an MLP with two heads of 128
	Shape        = model.Shape     // channels, height, width of an item
	Source       = model.Source    // what can be trained on: a datasets.Set is one
	Embedding    = model.Embedding // items in both spaces

	Trainer      = train.Trainer // the loop
	TrainOptions = train.Options // the zero value trains 10 epochs of the full loss
	Batch        = train.Batch   // items of one step
	Step         = train.Step    // what one step found
	Epoch        = train.Epoch   // what one epoch found
	Scores       = train.Scores  // retrieval in both spaces
	TrainOption  = train.Option  // of one call of Fit, Epoch or Dispatch: see On
	Job          = train.Job     // a training beside the cells: see Trainer.Dispatch
	JobProgress  = train.JobProgress

	LossOptions            = loss.CHESTOptions // terms and weights
	SoftTripleOptions      = loss.SoftTripleOptions
	HyperSoftTripleOptions = loss.HyperSoftTripleOptions
	TreeOptions            = loss.HypHCOptions
	Terms                  = loss.Terms      // the parts of one step's loss
	Similarity             = loss.Similarity // how a distance in the ball becomes a similarity

	Quality = reduce.Quality // how true a picture is
	Result  = metric.Result  // Recall@K, R-Precision, MAP@R of one space
)

// Which spaces a loss trains.
const (
	Both  = loss.Both
	OnlyE = loss.OnlyE
	OnlyH = loss.OnlyH
)

// The similarities of HyperSoftTripleOptions, of a distance d in the ball and
// the clip radius r.
const (
	Negative        = loss.Negative        // -d, the default
	NegativeSquared = loss.NegativeSquared // -d²
	Exponential     = loss.Exponential     // exp(-d)
	Rescaled        = loss.Rescaled        // -d/(4r)
)

// What the leaves of the tree of TreeOptions are, and how its triplets are drawn.
const (
	ProxyLeaves     = loss.ProxyLeaves     // every proxy is a leaf, the default
	MeanLeaves      = loss.MeanLeaves      // every class is one, at the mean of its proxies
	UniformTriplets = loss.UniformTriplets // uniform among all leaves, the default
	BatchTriplets   = loss.BatchTriplets   // among the batch's classes and as many others
	NearTriplets    = loss.NearTriplets    // two neighbours and any third
)

// NewModel makes an untrained model for the items of src. See ModelOptions.
func NewModel(src Source, o ModelOptions) (*Model, error) {
	if err := model.CheckSource(src); err != nil {
		return nil, fmt.Errorf("chestlib: NewModel: %w", err)
	}
	c, h, w := src.Shape()
	return model.New(model.Shape{C: c, H: h, W: w}, o)
}

// NewTrainer prepares to train m on src. See TrainOptions.
func NewTrainer(m *Model, src Source, o TrainOptions) (*Trainer, error) {
	return train.New(m, src, o)
}

// On says where Trainer.Fit, Epoch and Dispatch compute: "cpu", the default,
// "cuda", "cuda:1" and so on, or "auto". See train.On.
//
//	history, err := tr.Fit(display.Context(), chestlib.On("cuda"))
//	job := tr.Dispatch(display.Context(), 10, chestlib.On("auto"))
func On(device string) TrainOption { return train.On(device) }

// Products says what multiplies matrices on a GPU: "own", the default, "cublas", or
// "tf32", cuBLAS on tensor cores with about three digits. See train.Products.
//
//	history, err := tr.Fit(display.Context(), chestlib.On("cuda"), chestlib.Products("tf32"))
func Products(by string) TrainOption { return train.Products(by) }

// Evaluate measures Recall@1, 2, 4, 8, R-Precision and MAP@R of m on src in
// both spaces: each item is a query, all others are the gallery.
func Evaluate(ctx context.Context, m *Model, src Source) (Scores, error) {
	return train.Evaluate(ctx, m, src, nil)
}

// EvaluateAt is Evaluate with other K of Recall@K.
func EvaluateAt(ctx context.Context, m *Model, src Source, ks []int) (Scores, error) {
	return train.Evaluate(ctx, m, src, ks)
}

// EvaluateItems measures retrieval by the cosine of the items themselves, for
// images: of their pixels, less the mean image. The baseline without a model.
func EvaluateItems(ctx context.Context, src Source) (Result, error) {
	return train.EvaluateItems(ctx, src, nil)
}

// EvaluateItemsAt is EvaluateItems with other K of Recall@K.
func EvaluateItemsAt(ctx context.Context, src Source, ks []int) (Result, error) {
	return train.EvaluateItems(ctx, src, ks)
}

// Embed runs src through m: E is n×DE, H is n×DH on the ball.
func Embed(ctx context.Context, m *Model, src Source) (Embedding, error) {
	return m.Embed(ctx, src, 0)
}

// TangentPCA draws the points H of an embedding in the unit disk: xy is n×2.
// The quality says what share of the variance the disk shows and how well
// neighbours by label survive; nil label means the classes of e. See
// reduce.TangentPCA.
func TangentPCA(ctx context.Context, e Embedding, label []int) (xy []float64, q Quality, err error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	if label == nil {
		label = e.Label
	}
	if xy, q, err = reduce.TangentPCA(e.H, e.DH, e.Curvature); err != nil {
		return nil, q, err
	}
	q, err = q.WithLabels(ctx, xy, e.H, label, e.DH, e.Curvature)
	return xy, q, err
}

// PCA draws the vectors E of an embedding, scaled to length 1 since they are
// compared by the cosine, in the plane: xy is n×2. Label and quality are as for
// TangentPCA. See reduce.PCA.
func PCA(ctx context.Context, e Embedding, label []int) (xy []float64, q Quality, err error) {
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	if label == nil {
		label = e.Label
	}
	unit := unitRows(e.E, e.DE)
	if xy, q, err = reduce.PCA(unit, e.DE); err != nil {
		return nil, q, err
	}
	q, err = q.WithLabels(ctx, xy, unit, label, e.DE, 0)
	return xy, q, err
}

// unitRows is x, of rows of d, with each row scaled to length 1; zero rows stay.
func unitRows(x []float32, d int) []float32 {
	unit := make([]float32, len(x))
	for at := 0; at < len(x); at += d {
		var sum float64
		for _, v := range x[at : at+d] {
			sum += float64(v) * float64(v)
		}
		if sum == 0 {
			continue
		}
		for j, v := range x[at : at+d] {
			unit[at+j] = float32(float64(v) / math.Sqrt(sum))
		}
	}
	return unit
}

// Check panics with err when it is not nil: it stops a cell or a script where
// there is nobody to hand an error to.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}
