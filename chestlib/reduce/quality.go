package reduce

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
)

// Quality says how a picture was made and what it kept. Shares are between 0
// and 1.
//
// Stress and distortion compare the distances d of pairs in the picture with
// those before, δ, both in units of curvature -1, plain ones for c = 0:
//
//	stress = √( Σ (α d - δ)² / Σ δ² ),  distortion = mean of |α d - δ|/δ
//
// over all pairs, of more than 724 points over 262,144 random ones. 0 is a
// picture that kept them all; 1 is the stress of points that are all drawn at
// one place.
type Quality struct {
	Method    string  // "tangent PCA", "UMAP", …
	Points    int     // how many were drawn
	Curvature float64 // c of the ball of curvature -c that they come from; 0 means plain space
	Seed      uint64  // of a method that draws at random
	Seeded    bool    // whether the method is one

	Stress     float64 // see above
	Distortion float64 // see above, over δ > 0
	Scale      float64 // α: 1 for methods that keep lengths of the ball, else the factor of least stress

	Explained     float64 // share of the mean squared distance to the mean that lies in the two directions, for HoroPCA of that of pairs; 0 where the method has none
	KNN           int     // k of the agreements, at most the number of other points; 0: not measured yet, or a single point
	AgreementDisk float64 // see Agreement, of the reduced points
	AgreementBall float64 // see Agreement, of the points before
}

// String gives the quality on one line, for the text under a picture that says
// method, points and c itself, as viz.Disk does; see Line.
func (q Quality) String() string {
	var s []string
	add := func(format string, v ...any) { s = append(s, fmt.Sprintf(format, v...)) }
	if q.Explained > 0 {
		add("%.0f %% of the variance", 100*q.Explained)
	}
	if q.Points > 1 {
		add("stress %.2f, distortion %.2f", q.Stress, q.Distortion)
	}
	if q.KNN > 0 {
		add("%d-NN agreement %.2f in the plane, %.2f before", q.KNN, q.AgreementDisk, q.AgreementBall)
	}
	if q.Seeded {
		add("seed %d", q.Seed)
	}
	return strings.Join(s, ", ")
}

// Line gives all on one line: method, points, c, and what String says.
//
//	UMAP; 6000 points; c = 0.1; stress 0.24, distortion 0.21, 15-NN agreement 0.95 in the plane, 0.96 before, seed 1
func (q Quality) Line() string {
	points := "1 point"
	if q.Points != 1 {
		points = fmt.Sprintf("%d points", q.Points)
	}
	s := []string{q.Method, points}
	if q.Curvature > 0 {
		s = append(s, fmt.Sprintf("c = %.4g", q.Curvature))
	}
	if kept := q.String(); kept != "" {
		s = append(s, kept)
	}
	return strings.Join(s, "; ")
}

// WithLabels returns q with both agreements, for a reduction xy (n×2) of the
// embeddings x (n×d) of curvature -c. KNN is kept if it is set, else it is 15;
// it is cut to n-1, the number of others. With c = 0 both are plain Euclidean:
// use it for PCA too.
//
// Cost: n²d float32 products, 0.3 s for 6,000 points of 128 dimensions on two
// processors, and n² for the picture. Errors and panics are as for Agreement.
func (q Quality) WithLabels(ctx context.Context, xy []float64, x []float32, label []int, d int, c float64) (Quality, error) {
	if len(xy) != 2*len(label) || d < 1 || len(x) != d*len(label) {
		panic(fmt.Sprintf("reduce: %d labels with %d plane coordinates and %d entries of dimension %d", len(label), len(xy), len(x), d))
	}
	ctx, done := context.WithCancel(ctx) // stays with the cell that called
	defer done()
	k := cmp.Or(q.KNN, 15)
	q.KNN = max(min(k, len(label)-1), 0)
	if !(c >= 0) || math.IsInf(c, 1) {
		return q, fmt.Errorf("reduce: curvature %g: c must be a number ≥ 0", c)
	}
	var err error
	if q.AgreementBall, err = agreementBefore(ctx, x, label, k, d, c); err != nil {
		return q, err
	}
	disk := 1.0
	if c == 0 {
		disk = 0
	}
	q.AgreementDisk, err = Agreement(ctx, xy, label, k, disk)
	return q, err
}

// agreementBefore is Agreement of the points before the reduction, with the
// neighbours from float32 products.
func agreementBefore(ctx context.Context, x []float32, label []int, k, d int, c float64) (float64, error) {
	n := len(label)
	if k = min(k, n-1); k < 1 {
		return 1, nil
	}
	if _, err := checked(x, d, c); err != nil {
		return 0, err
	}
	g, err := nearest(ctx, x, d, k, c, false)
	if err != nil {
		return 0, err
	}
	same := 0
	for at, j := range g.row {
		if label[j] == label[at/k] {
			same++
		}
	}
	return float64(same) / float64(n) / float64(k), nil
}
