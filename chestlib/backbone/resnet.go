package backbone

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/sgemm"
	"github.com/chestlab/chest/internal/vmath"
)

// ResNetOptions are the sizes of a residual network of bottleneck blocks. The zero
// value is ResNet-50 on images of 224×224.
type ResNetOptions struct {
	H, W   int    // pixels of an image, at least 32; 0 means 224
	Width  int    // channels of the stem; there are 32 times as many features; 0 means 64
	Blocks [4]int // in each stage; zeros mean 3, 4, 6, 3
}

// filled is o with its defaults, checked.
func (o ResNetOptions) filled() (ResNetOptions, error) {
	if o.Blocks == [4]int{} {
		o.Blocks = [4]int{3, 4, 6, 3}
	}
	o.H, o.W, o.Width = cmp.Or(o.H, 224), cmp.Or(o.W, 224), cmp.Or(o.Width, 64)
	if o.H < 32 || o.W < 32 {
		return o, fmt.Errorf("backbone: ResNet: images of %d×%d; want at least 32×32", o.H, o.W)
	}
	if o.Width < 1 || min(o.Blocks[0], o.Blocks[1], o.Blocks[2], o.Blocks[3]) < 1 {
		return o, fmt.Errorf("backbone: ResNet: Width %d and Blocks %v; want at least 1 of each", o.Width, o.Blocks)
	}
	return o, nil
}

// name says which network it is.
func (o ResNetOptions) name() string {
	if o.Width == 64 && o.Blocks == [4]int{3, 4, 6, 3} {
		return "resnet50"
	}
	return fmt.Sprintf("resnet of width %d, blocks %v", o.Width, o.Blocks)
}

// bottleneck is where a block stands and what it maps.
type bottleneck struct {
	name            string
	in, inner, wide int // channels
	stride          int // of its 3×3 convolution
	project         bool
}

// blocks are all blocks in their order.
func (o ResNetOptions) blocks() (all []bottleneck) {
	in := o.Width
	for stage, count := range o.Blocks {
		inner := o.Width << stage
		for b := range count {
			stride := 1
			if stage > 0 && b == 0 {
				stride = 2
			}
			all = append(all, bottleneck{fmt.Sprintf("layer%d.%d.", stage+1, b), in, inner, 4 * inner, stride, b == 0})
			in = 4 * inner
		}
	}
	return all
}

// specs are the weights' names and shapes.
func (o ResNetOptions) specs() (all []spec) {
	conv := func(name, norm string, out, in, size int) {
		all = append(all, spec{name + ".weight", []int{out, in, size, size}})
		for _, s := range []string{"weight", "bias", "running_mean", "running_var"} {
			all = append(all, spec{norm + "." + s, []int{out}})
		}
	}
	conv("conv1", "bn1", o.Width, 3, 7)
	for _, b := range o.blocks() {
		conv(b.name+"conv1", b.name+"bn1", b.inner, b.in, 1)
		conv(b.name+"conv2", b.name+"bn2", b.inner, b.inner, 3)
		conv(b.name+"conv3", b.name+"bn3", b.wide, b.inner, 1)
		if b.project {
			conv(b.name+"downsample.0", b.name+"downsample.1", b.wide, b.in, 1)
		}
	}
	return all
}

// ResNet is a residual network of bottleneck blocks; its features are the means of
// the last stage's channels over all pixels. Where the resolution halves it is
// the 3×3 convolution that has stride 2, as in torchvision and timm; weights do
// not tell it from the variant of the paper, whose first 1×1 convolution has it.
//
//	y = relu(x + conv₃(relu(conv₂(relu(conv₁(x))))))
//
// It works as at evaluation, with the running averages of its BatchNorms, and
// has no gradient.
//
// Memory: the weights, 94 MB for ResNet-50, and three times that while they are
// read; for each processor three images of the largest layer and four of the
// second stage's, 16 MB for ResNet-50 at 224×224.
//
// Source: K. He et al., "Deep Residual Learning for Image Recognition" (2016).
type ResNet struct {
	network
	stem    *conv
	large   []resBlock // the first two stages, whose images are larger than their weights
	small   []resBlock // the other ones
	workers []resNetWorker
}

// resBlock is the convolutions of a block; project is nil if x is added as it is.
type resBlock struct{ first, second, third, project *conv }

// resNetWorker is the memory of one worker.
type resNetWorker struct {
	gemm       sgemm.Workspace
	x, y, a, b []float32 // images; x is the present one, or some
	group      []float32 // images behind the first two stages
	columns    []float32
}

// OpenResNet reads a residual network from a file of safetensors with the names of
// torchvision and timm: conv1, bn1, layerS.B.conv1 to conv3, bn1 to bn3,
// downsample.0 and downsample.1. For the rest see OpenViT.
func OpenResNet(weights string, o ResNetOptions) (*ResNet, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	f, err := open("resnet", weights)
	if err != nil {
		return nil, err
	}
	defer f.close()
	t, err := f.take(o.name(), "layer1.0.conv1.weight", o.specs(), nil)
	if err != nil {
		return nil, err
	}
	for _, s := range o.specs() {
		if !strings.HasSuffix(s.name, ".running_var") {
			continue
		}
		for i, v := range t[s.name] {
			if v < 0 {
				return nil, fmt.Errorf("backbone: %s: %s: entry %d is %g; a variance is not negative: the file is damaged", f.path, s.name, i, v)
			}
		}
	}
	return newResNet(o, t, f.sum), nil
}

// UntrainedResNet makes a residual network with random weights.
func UntrainedResNet(o ResNetOptions, seed uint64) (*ResNet, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	return newResNet(o, random(o.specs(), seed), fmt.Sprintf("untrained, seed %d", seed)), nil
}

func newResNet(o ResNetOptions, t tensors, sum string) *ResNet {
	in := model.Shape{C: 3, H: o.H, W: o.W}
	n := &ResNet{network: network{name: o.name(), weights: sum, in: in, width: 32 * o.Width}}
	n.stem = newConv(t, "conv1", "bn1", in, o.Width, 7, 2, true)
	in = pooled(n.stem.out)
	for i, b := range o.blocks() {
		r := resBlock{first: newConv(t, b.name+"conv1", b.name+"bn1", in, b.inner, 1, 1, true)}
		r.second = newConv(t, b.name+"conv2", b.name+"bn2", r.first.out, b.inner, 3, b.stride, true)
		r.third = newConv(t, b.name+"conv3", b.name+"bn3", r.second.out, b.wide, 1, 1, true)
		if b.project {
			r.project = newConv(t, b.name+"downsample.0", b.name+"downsample.1", in, b.wide, 1, b.stride, false)
		}
		if in = r.third.out; i < o.Blocks[0]+o.Blocks[1] {
			n.large = append(n.large, r)
		} else {
			n.small = append(n.small, r)
		}
	}
	return n
}

// groupImages is how many images the last two stages compute at a time.
const groupImages = 4

// Features implements Backbone.
func (n *ResNet) Features(x []float32, count int) []float32 {
	n.checkImages(x, count)
	for len(n.workers) < parallel.Workers(count) {
		n.workers = append(n.workers, resNetWorker{})
	}
	return n.each(x, count, groupImages, func(worker int, y, images []float32, count int) {
		n.forward(&n.workers[worker], y, images, count)
	})
}

// forward computes count images: one after the other while they are large, then all
// at once.
func (n *ResNet) forward(w *resNetWorker, y, images []float32, count int) {
	size := n.large[len(n.large)-1].third.out.Size()
	w.group = grown(w.group, count*size)
	for i := range count {
		n.start(w, images[i*n.in.Size():(i+1)*n.in.Size()])
		for b := range n.large {
			n.large[b].apply(w, 1)
		}
		copy(w.group[i*size:(i+1)*size], w.x)
	}
	w.x, w.group = w.group, w.x
	for b := range n.small {
		n.small[b].apply(w, count)
	}
	size = len(w.x) / count
	for i := range count {
		average(y[i*n.width:(i+1)*n.width], w.x[i*size:(i+1)*size])
	}
}

// start computes x of an image up to the first stage.
func (n *ResNet) start(w *resNetWorker, image []float32) {
	w.b = channelsLast(grown(w.b, len(image)), image, n.in)
	s := n.stem.out
	w.a = grown(w.a, s.Size())
	n.stem.apply(w, w.a, w.b, 1, false)
	w.x = grown(w.x, pooled(s).Size())
	maxPool(w.x, w.a, s)
}

// apply brings x, n images, behind a block.
func (b *resBlock) apply(w *resNetWorker, n int) {
	w.a, w.b = grown(w.a, n*b.first.out.Size()), grown(w.b, n*b.second.out.Size())
	b.first.apply(w, w.a, w.x, n, false)
	b.second.apply(w, w.b, w.a, n, false)
	if b.project != nil {
		w.y = grown(w.y, n*b.project.out.Size())
		b.project.apply(w, w.y, w.x, n, false)
		w.x, w.y = w.y, w.x
	}
	b.third.apply(w, w.x, w.b, n, true)
}

// channelsLast turns channels×height×width into height×width×channels.
func channelsLast(dst, x []float32, s model.Shape) []float32 {
	plane := s.H * s.W
	for c := range s.C {
		for i, v := range x[c*plane : (c+1)*plane] {
			dst[i*s.C+c] = v
		}
	}
	return dst
}

// average is the mean of the pixels of x, each as many numbers as y.
func average(y, x []float32) {
	clear(y)
	for at := 0; at < len(x); at += len(y) {
		vmath.Add(y, y, x[at:at+len(y)])
	}
	vmath.Scale(y, float32(len(y))/float32(len(x)), y)
}

// Operations implements Backbone.
func (n *ResNet) Operations() float64 {
	sum := n.stem.operations()
	for _, b := range append(n.large[:len(n.large):len(n.large)], n.small...) {
		sum += b.first.operations() + b.second.operations() + b.third.operations()
		if b.project != nil {
			sum += b.project.operations()
		}
	}
	return sum
}
