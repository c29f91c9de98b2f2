package backbone

import (
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/cpu"
	"github.com/chestlab/chest/internal/safetensors"
)

// The sizes of the small networks in testdata; golden.py has them too.
var (
	smallViT    = ViTOptions{H: 16, W: 16, Patch: 4, Width: 24, Depth: 2, Heads: 3}
	smallResNet = ResNetOptions{H: 33, W: 47, Width: 4, Blocks: [4]int{2, 1, 1, 1}}
)

const (
	smallViTFile    = "testdata/vit.safetensors"
	smallResNetFile = "testdata/resnet.safetensors"
)

// golden reads a tensor of a file of golden.py.
func golden(t *testing.T, path, name string) (x []float32, shape []int) {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if x, err = f.Float32(name); err != nil {
		t.Fatal(err)
	}
	_, shape, _ = f.Shape(name)
	return x, shape
}

// apart is the largest difference, relative to the root of the mean square of want.
func apart(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var worst, squares float64
	for i, w := range want {
		worst = max(worst, math.Abs(float64(got[i])-float64(w)))
		squares += float64(w) * float64(w)
	}
	return worst / math.Sqrt(squares/float64(len(want)))
}

// vitOf opens a vision transformer for images of a shape n×3×h×w.
func vitOf(t *testing.T, path string, o ViTOptions, shape []int) *ViT {
	t.Helper()
	o.H, o.W = shape[2], shape[3]
	b, err := OpenViT(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGolden: the features are PyTorch's, at every level.
func TestGolden(t *testing.T) {
	for _, level := range cpu.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			defer cpu.Set(level)()
			compare(t, "testdata", smallViT, smallResNet)
		})
	}
}

// compare compares both networks in dir with the goldens there.
func compare(t *testing.T, dir string, v ViTOptions, r ResNetOptions) {
	at := filepath.Join(dir, "golden.safetensors")
	for _, name := range []string{"vit", "vit.wide", "resnet"} {
		x, shape := golden(t, at, name+".x")
		want, _ := golden(t, at, name+".y")
		var b Backbone
		if name == "resnet" {
			r.H, r.W = shape[2], shape[3]
			resnet, err := OpenResNet(filepath.Join(dir, "resnet.safetensors"), r)
			if err != nil {
				t.Fatal(err)
			}
			b = resnet
		} else {
			path, err := filepath.Abs(filepath.Join(dir, "vit.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			b = vitOf(t, path, v, shape)
		}
		d := apart(b.Features(x, shape[0]), want)
		t.Logf("%s: %v: apart by %.2g", name, b, d)
		if !(d < 1e-4) {
			t.Errorf("%s: apart by %.3g, allowed 1e-4", name, d)
		}
	}
}

// TestFull: ViT-S/16 and ResNet-50 themselves, with random weights that
// PyTorch makes for the occasion.
func TestFull(t *testing.T) {
	if os.Getenv("CHEST_FULL_MODELS") == "" {
		t.Skip("SKIPPED: CHEST_FULL_MODELS is not set; it compares the networks in full size with PyTorch, which must be installed")
	}
	dir := t.TempDir()
	python := "/usr/bin/python3"
	if p := os.Getenv("CHEST_PYTHON"); p != "" {
		python = p
	}
	if out, err := exec.Command(python, "testdata/golden.py", "--full", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	compare(t, dir, ViTOptions{}, ResNetOptions{})
}

// TestResample: positions are PyTorch's.
func TestResample(t *testing.T) {
	grid, _ := golden(t, "testdata/golden.safetensors", "grid")
	for _, size := range []string{"8x11", "3x2", "4x7", "5x5", "1x1"} {
		want, shape := golden(t, "testdata/golden.safetensors", "grid."+size)
		got := resample(grid, 5, 5, shape[0], shape[1], 2)
		if d := apart(got, want); !(d < 3e-6) { // PyTorch's weights are float32
			t.Errorf("%s: apart by %.3g", size, d)
		}
	}
}

// TestSquare: as many positions as the images want are those of a square all the
// same.
func TestSquare(t *testing.T) {
	place, _ := golden(t, smallViTFile, "pos_embed")
	b := vitOf(t, smallViTFile, smallViT, []int{1, 3, 8, 32})
	if want := resample(place[24:], 4, 4, 2, 8, 24); !reflect.DeepEqual(b.place[24:], want) || !reflect.DeepEqual(b.place[:24], place[:24]) {
		t.Error("other positions than those of 4×4 patches brought to 2×8")
	}
}

// TestStart: a model with published weights computes the features of the frozen
// network, in both trunks.
func TestStart(t *testing.T) {
	for _, separate := range []bool{false, true} {
		x, shape := golden(t, "testdata/golden.safetensors", "vit.wide.x")
		want, _ := golden(t, "testdata/golden.safetensors", "vit.wide.y")
		o := model.Options{Trunk: "vit", Width: 24, Depth: 2, Heads: 3, Patch: 4, NormEps: NormEps, DE: 24, DH: 24, Separate: separate}
		m, err := model.New(model.Shape{C: 3, H: shape[2], W: shape[3]}, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Params() { // the heads let the features pass
			if p.Group == "head" {
				clear(p.Value)
				for i := 0; len(p.Shape) == 2 && i < 24; i++ {
					p.Value[i*24+i] = 1
				}
			}
		}
		if err := Start(m, smallViTFile); err != nil {
			t.Fatal(err)
		}
		uE, uH := m.Forward(x, shape[0], false)
		if e, h := apart(uE, want), apart(uH, want); !(max(e, h) < 1e-4) {
			t.Errorf("separate %v: E is apart by %.3g, H by %.3g", separate, e, h)
		}
	}
}

// TestStartRefuses: what does not fit is told, and the model stays as it was.
func TestStartRefuses(t *testing.T) {
	fit := model.Options{Trunk: "vit", Width: 24, Depth: 2, Heads: 3, Patch: 4, NormEps: NormEps}
	for _, c := range []struct {
		says string
		in   model.Shape
		set  func(o *model.Options)
	}{
		{`trunk is "mlp"`, model.Shape{C: 3, H: 16, W: 16}, func(o *model.Options) { o.Trunk = "mlp" }},
		{"want 3 channels", model.Shape{C: 1, H: 16, W: 16}, func(o *model.Options) {}},
		{"NormEps is 0", model.Shape{C: 3, H: 16, W: 16}, func(o *model.Options) { o.NormEps = 0 }},
		{"blocks.2.norm1.weight: expected [24], found nothing", model.Shape{C: 3, H: 16, W: 16}, func(o *model.Options) { o.Depth = 3 }},
	} {
		o := fit
		c.set(&o)
		m, err := model.New(c.in, o)
		if err != nil {
			t.Fatal(err)
		}
		before := values(m)
		if err := Start(m, smallViTFile); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want %q", err, c.says)
		}
		if !reflect.DeepEqual(before, values(m)) {
			t.Errorf("%s: the model changed", c.says)
		}
	}
}

func values(m *model.Model) (all [][]float32) {
	for _, p := range m.Params() {
		all = append(all, append([]float32(nil), p.Value...))
	}
	return all
}

// TestSameBits: neither other images in the batch nor the number of processors
// change the bits of an image's features.
func TestSameBits(t *testing.T) {
	const n = 11 // more than are computed at a time
	for _, level := range cpu.Levels() {
		t.Run(level.String(), func(t *testing.T) {
			defer cpu.Set(level)()
			for _, b := range smallOnes(t) {
				x := gaussian(n * b.In().Size())
				whole := append([]float32(nil), b.Features(x, n)...)
				for _, processors := range []int{1, 3} {
					before := runtime.GOMAXPROCS(processors)
					for _, batch := range []int{1, 3, 10} {
						for lo := 0; lo < n; lo += batch {
							hi := min(lo+batch, n)
							got := b.Features(x[lo*b.In().Size():hi*b.In().Size()], hi-lo)
							if !reflect.DeepEqual(got, whole[lo*b.Width():hi*b.Width()]) {
								t.Errorf("%s: %d processors, images %d to %d: other bits", b.Name(), processors, lo, hi)
							}
						}
					}
					runtime.GOMAXPROCS(before)
				}
			}
		})
	}
}

// smallOnes are the networks of testdata.
func smallOnes(t *testing.T) []Backbone {
	t.Helper()
	v, err := OpenViT(smallViTFile, smallViT)
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenResNet(smallResNetFile, smallResNet)
	if err != nil {
		t.Fatal(err)
	}
	return []Backbone{v, r}
}

func gaussian(n int) []float32 {
	rng := rand.New(rand.NewPCG(5, 6))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// TestNothingKept: a call leaves nothing for the next one, and takes no memory
// anew.
func TestNothingKept(t *testing.T) {
	for _, b := range smallOnes(t) {
		x, other := gaussian(2*b.In().Size()), make([]float32, 2*b.In().Size())
		first := append([]float32(nil), b.Features(x, 2)...)
		b.Features(other, 2)
		if !reflect.DeepEqual(first, b.Features(x, 2)) {
			t.Errorf("%s: other features at the second time", b.Name())
		}
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		if got := testing.AllocsPerRun(5, func() { b.Features(x, 2) }); got > 2 {
			t.Errorf("%s: %g allocations a call", b.Name(), got)
		}
		x[b.In().Size()/3] = float32(math.NaN())
		if y := b.Features(x, 2); y[0] == y[0] || y[b.Width()] != y[b.Width()] {
			t.Errorf("%s: a pixel that is NaN gives %g, and %g in another image", b.Name(), y[0], y[b.Width()])
		}
		if len(b.Features(nil, 0)) != 0 {
			t.Errorf("%s: features of no images", b.Name())
		}
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || !strings.Contains(s, "are not 3 images of") {
					t.Errorf("%s: a wrong length: %v", b.Name(), s)
				}
			}()
			b.Features(x, 3)
		}()
	}
}

// TestMemory: activations take the same memory in a deep network as in a shallow
// one of the same sizes.
func TestMemory(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	taken := func(b Backbone, err error) uint64 {
		if err != nil {
			t.Fatal(err)
		}
		x := gaussian(b.In().Size())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b.Features(x, 1)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	vit := func(depth int) uint64 {
		return taken(unless(UntrainedViT(ViTOptions{H: 64, W: 64, Patch: 8, Width: 48, Depth: depth, Heads: 2}, 1)))
	}
	resnet := func(blocks int) uint64 {
		return taken(unless(UntrainedResNet(ResNetOptions{H: 64, W: 64, Width: 8, Blocks: [4]int{blocks, blocks, blocks, blocks}}, 1)))
	}
	if few, many := vit(2), vit(9); float64(many) > 1.1*float64(few) {
		t.Errorf("ViT: %d bytes with 2 blocks, %d with 9", few, many)
	}
	if few, many := resnet(1), resnet(4); float64(many) > 1.1*float64(few) {
		t.Errorf("ResNet: %d bytes with 4 blocks, %d with 16", few, many)
	}
}
