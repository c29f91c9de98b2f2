// Package backbone is image networks with published weights, frozen: they map
// images to features and learn nothing.
//
//	b, err := backbone.Open("vit_s16", "dino_vits16.safetensors", 224)
//	f := b.Features(x, n) // n×3×224×224 → n×384
//
// There are vision transformers and residual networks. Both compute a few images
// at a time on each processor, in memory that they use again from layer to
// layer: it does not grow with the depth of the network. The features of an
// image have the same bits whatever other images are in the batch and however
// many processors there are; they depend on the level of package cpu.
//
// There is no backward pass. To train a vision transformer on from published
// weights, make a model.Model with the trunk "vit" and call Start.
package backbone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/parallel"
)

// Backbone is a frozen network. It is used by one goroutine at a time and runs
// on all processors itself.
type Backbone interface {
	// Features maps the n images of x, n×In, to n×Width features, which are valid
	// until the next call. It panics if x does not have n images.
	Features(x []float32, n int) []float32
	// In is the shape of an image: 3 channels, height, width. The pixels are those
	// that the weights were trained with: their mean subtracted, divided by their
	// deviation.
	In() model.Shape
	// Width is the number of features of an image.
	Width() int
	// Name says which network it is: "vit_s16", "resnet50", or all its sizes.
	Name() string
	// Weights is the checksum of the file of the weights, "sha256:…" as sha256sum
	// prints it; "untrained, seed N" for random ones.
	Weights() string
	// Operations is the number of multiplications and additions of the matrix
	// products for one image.
	Operations() float64
}

// names are the networks that Open knows.
var names = []string{"vit_s16", "resnet50"}

// Names are the networks that Open knows.
func Names() []string { return slices.Clone(names) }

// Open reads the weights of a network by name for images of size×size pixels; size 0
// means 224.
//
//	vit_s16   ViT-S/16, 384 features, the class token behind the last LayerNorm
//	resnet50  ResNet-50, 2048 features, the mean over all pixels
//
// OpenViT and OpenResNet say where weights are looked for and what they may be.
func Open(name, weights string, size int) (Backbone, error) {
	switch name {
	case "vit_s16":
		return unless(OpenViT(weights, ViTOptions{H: size, W: size}))
	case "resnet50":
		return unless(OpenResNet(weights, ResNetOptions{H: size, W: size}))
	}
	return nil, unknown(name)
}

// Untrained makes a network of Open with random weights that are a function of
// the seed, for measurements of time and as what any training should beat.
func Untrained(name string, size int, seed uint64) (Backbone, error) {
	switch name {
	case "vit_s16":
		return unless(UntrainedViT(ViTOptions{H: size, W: size}, seed))
	case "resnet50":
		return unless(UntrainedResNet(ResNetOptions{H: size, W: size}, seed))
	}
	return nil, unknown(name)
}

// unless keeps a nil pointer from becoming a Backbone that is not nil.
func unless[B Backbone](b B, err error) (Backbone, error) {
	if err != nil {
		return nil, err
	}
	return b, nil
}

func unknown(name string) error {
	return fmt.Errorf("backbone: there is no network %q; there are %s", name, strings.Join(names, " and "))
}

// network is what both kinds have in common.
type network struct {
	name, weights string
	in            model.Shape
	width         int
	y             []float32
}

func (b *network) In() model.Shape { return b.in }
func (b *network) Width() int      { return b.width }
func (b *network) Name() string    { return b.name }
func (b *network) Weights() string { return b.weights }

// String says what the network is.
func (b *network) String() string {
	return fmt.Sprintf("%s on %v, %d features, weights %.19s", b.name, b.in, b.width, b.weights)
}

// each calls f for all n images, some at a time, with their features; worker, below
// crew, numbers the goroutine. Several images at a time read the weights, which
// are larger than most caches, once for all.
func (b *network) each(x []float32, n, most int, f func(worker int, y, images []float32, count int)) []float32 {
	b.y = grown(b.y, n*b.width)
	group := b.group(n, most)
	tasks := (n + group - 1) / group
	parallel.Tasks(parallel.Workers(tasks), tasks, func(task, worker int) {
		lo, hi := task*group, min((task+1)*group, n)
		f(worker, b.y[lo*b.width:hi*b.width], x[lo*b.in.Size():hi*b.in.Size()], hi-lo)
	})
	return b.y
}

// group is how many of n images are computed at a time, at most most: no processor
// shall wait for it.
func (b *network) group(n, most int) int { return max(min(n/max(parallel.Workers(n), 1), most), 1) }

// checkImages panics unless x is n images.
func (b *network) checkImages(x []float32, n int) {
	if n < 0 || len(x) != n*b.in.Size() {
		panic(fmt.Sprintf("backbone: Features: %d entries are not %d images of %v", len(x), n, b.in))
	}
}

// grown is x with length n, newly allocated only if x is too small. The content
// is any.
func grown(x []float32, n int) []float32 {
	if cap(x) < n {
		return make([]float32, n)
	}
	return x[:n]
}
