package backbone

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/safetensors"
)

// piece is a tensor of a file of the tests, in any type.
type piece struct {
	name, kind string
	shape      []int
	data       []byte
}

// pieces are the tensors of a file, with their numbers as f writes them.
func pieces(t *testing.T, path, kind string, f func(b []byte, v float32) []byte) (all []piece) {
	t.Helper()
	in, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, name := range in.Names {
		k, shape, _ := in.Shape(name)
		if k == "I64" {
			all = append(all, piece{name, k, shape, make([]byte, 8)})
			continue
		}
		x, err := in.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		p := piece{name, kind, shape, nil}
		for _, v := range x {
			p.data = f(p.data, v)
		}
		all = append(all, p)
	}
	return all
}

func float32s(b []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
}

// write writes a file of safetensors into a folder of the test.
func write(t *testing.T, all []piece) string {
	t.Helper()
	var data bytes.Buffer
	head := make(map[string]any)
	for _, p := range all {
		at := data.Len()
		data.Write(p.data)
		head[p.name] = map[string]any{"dtype": p.kind, "shape": append([]int{}, p.shape...), "data_offsets": []int{at, data.Len()}}
	}
	text, err := json.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	whole := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	if err := os.WriteFile(path, append(whole, data.Bytes()...), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// features are those of some images.
func features(t *testing.T, path string) []float32 {
	t.Helper()
	b, err := OpenViT(path, smallViT)
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), b.Features(gaussian(2*b.In().Size()), 2)...)
}

// TestTypes: numbers of 16 bits give what the same numbers of 32 bits give.
func TestTypes(t *testing.T) {
	for kind, f := range map[string]struct {
		write func(b []byte, v float32) []byte
		round func(v float32) float32
	}{
		"BF16": {func(b []byte, v float32) []byte {
			return binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(v)>>16))
		}, func(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ 0xffff) }},
		"F16": {func(b []byte, v float32) []byte { return binary.LittleEndian.AppendUint16(b, toHalf(v)) },
			func(v float32) float32 { return float32(math.Trunc(float64(v)*1024) / 1024) }},
	} {
		narrow := pieces(t, smallViTFile, kind, f.write)
		wide := pieces(t, smallViTFile, "F32", func(b []byte, v float32) []byte { return float32s(b, f.round(v)) })
		if !reflect.DeepEqual(features(t, write(t, narrow)), features(t, write(t, wide))) {
			t.Errorf("%s: other features than of the same numbers in F32", kind)
		}
	}
}

// toHalf is v cut to a multiple of 2⁻¹⁰ as a number of half precision. For |v| < 2
// that is one; larger ones are not in the file.
func toHalf(v float32) uint16 {
	n := int(math.Abs(math.Trunc(float64(v) * 1024))) // v = n·2⁻¹⁰
	sign := uint16(math.Float32bits(v) >> 31 << 15)
	if n == 0 {
		return sign
	}
	e := int(math.Log2(float64(n)))
	return sign | uint16(e-10+15)<<10 | uint16(n<<(10-e)&1023)
}

// TestNames: prefixes and heads do not matter.
func TestNames(t *testing.T) {
	want := features(t, smallViTFile)
	extra := func(name string) piece { return piece{name, "F32", []int{2}, make([]byte, 8)} }
	for _, c := range []struct {
		prefix string
		extra  []string
	}{
		{"", []string{"head.weight", "head.bias"}},
		{"module.", []string{"module.head_dist.weight"}},
		{"backbone.", []string{"head.mlp.0.weight", "head.last_layer.weight_g"}},
		{"teacher.module.backbone.", []string{"teacher.module.head.mlp.0.weight", "teacher.module.backbone.mask_token"}},
		{"0.", nil},
	} {
		all := pieces(t, smallViTFile, "F32", float32s)
		for i := range all {
			all[i].name = c.prefix + all[i].name
		}
		for _, name := range c.extra {
			all = append(all, extra(name))
		}
		if !reflect.DeepEqual(features(t, write(t, all)), want) {
			t.Errorf("prefix %q: other features", c.prefix)
		}
	}
	all := pieces(t, smallViTFile, "F32", float32s)
	for _, p := range pieces(t, smallViTFile, "F32", float32s) {
		p.name = "student." + p.name
		all = append(all, p)
	}
	if _, err := OpenViT(write(t, all), smallViT); err == nil || !strings.Contains(err.Error(), `several networks, with the prefixes ["" "student."]`) {
		t.Errorf("two networks in a file: %v", err)
	}
}

// TestFaults: all that does not fit is listed at once, with what was expected and
// what was found.
func TestFaults(t *testing.T) {
	all := pieces(t, smallViTFile, "F32", float32s)
	var kept []piece
	for _, p := range all {
		switch p.name {
		case "blocks.1.attn.qkv.bias":
			continue
		case "blocks.0.mlp.fc1.weight":
			p.shape = []int{24, 96}
		case "norm.bias":
			p.kind = "I32"
		case "pos_embed":
			p.shape = []int{1, 2, 204} // a square grid, but other tokens
		}
		kept = append(kept, p)
	}
	kept = append(kept, piece{"dist_token", "F32", []int{1, 1, 1}, make([]byte, 4)}, piece{"blocks.0.ls1.gamma", "F32", []int{1}, make([]byte, 4)})
	path := write(t, kept)
	_, err := OpenViT(path, smallViT)
	for _, says := range []string{
		path, "width 24, depth 2",
		"blocks.1.attn.qkv.bias: expected [72], found nothing",
		"blocks.0.mlp.fc1.weight: expected [96 24], found [24 96]",
		"norm.bias: expected numbers of F32, F16 or BF16, found I32",
		"pos_embed: expected [1 17 24], found [1 2 204]",
		"dist_token: expected nothing, found [1 1 1]",
		"blocks.0.ls1.gamma: expected nothing, found [1]",
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
	if err != nil && strings.Count(err.Error(), "expected") != 6 {
		t.Errorf("more than what is wrong: %v", err)
	}
	if _, err := OpenViT(smallResNetFile, smallViT); err == nil || !strings.Contains(err.Error(), "layer4.0.conv2.weight: expected nothing, found [32 32 3 3]") {
		t.Errorf("another network's file: %v", err)
	}
	if _, err := OpenResNet(smallResNetFile, ResNetOptions{Width: 4, Blocks: [4]int{1, 1, 1, 1}}); err == nil || !strings.Contains(err.Error(), "layer1.1.conv1.weight: expected nothing") {
		t.Errorf("a deeper network's file: %v", err)
	}
}

// TestNumbers: weights that cannot be are told.
func TestNumbers(t *testing.T) {
	spoil := func(path, name string, v float32) string {
		all := pieces(t, path, "F32", float32s)
		for i := range all {
			if all[i].name == name {
				binary.LittleEndian.PutUint32(all[i].data[4:], math.Float32bits(v))
			}
		}
		return write(t, all)
	}
	_, err := OpenViT(spoil(smallViTFile, "blocks.1.norm2.bias", float32(math.NaN())), smallViT)
	if err == nil || !strings.Contains(err.Error(), "blocks.1.norm2.bias: entry 1 is NaN") {
		t.Errorf("NaN: %v", err)
	}
	_, err = OpenResNet(spoil(smallResNetFile, "layer2.0.bn1.running_var", -1), smallResNet)
	if err == nil || !strings.Contains(err.Error(), "layer2.0.bn1.running_var: entry 1 is -1") {
		t.Errorf("a negative variance: %v", err)
	}
}

// TestFind: plain names lie in CHEST_WEIGHTS and nowhere else, and the error of
// a missing file tells what to do.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	raw, err := os.ReadFile(smallViTFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tiny.safetensors"), raw, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv(WeightsVariable, "")
	if _, err := OpenViT("tiny.safetensors", smallViT); !errors.Is(err, ErrNoWeights) || !strings.Contains(err.Error(), "./tiny.safetensors") {
		t.Errorf("a plain name without %s: %v", WeightsVariable, err)
	}
	if _, err := OpenViT("./tiny.safetensors", smallViT); err != nil {
		t.Error(err)
	}
	t.Setenv(WeightsVariable, dir)
	b, err := OpenViT("tiny.safetensors", smallViT)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.Weights(), "sha256:5653c409cb8b") || len(b.Weights()) != len("sha256:")+64 {
		t.Errorf("checksum %s", b.Weights())
	}
	for kind, says := range map[string][]string{
		"vit_s16":  {WeightsVariable, "DINO (Apache-2.0", "DeiT (Apache-2.0", "timm (Apache-2.0", "safetensors.torch", filepath.Join(dir, "none.safetensors")},
		"resnet50": {WeightsVariable, "torchvision (BSD-3-Clause", "timm (Apache-2.0", "safetensors.torch", filepath.Join(dir, "none.safetensors")},
	} {
		_, err := Open(kind, "none.safetensors", 0)
		for _, s := range says[1:] {
			if !errors.Is(err, ErrNoWeights) || !strings.Contains(err.Error(), s) {
				t.Errorf("%s: error %v does not say %q", kind, err, s)
			}
		}
		if _, err := Open(kind, "", 0); !errors.Is(err, ErrNoWeights) {
			t.Errorf("%s: no name: %v", kind, err)
		}
	}
}

// TestNotWeights: other files are told from safetensors, PyTorch's with the way
// to convert them.
func TestNotWeights(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ content, says string }{
		"a.pth":         {"\x80\x02}q\x00.aaaaaaaaaaaa", "save_file"},
		"b.safetensors": {"PK\x03\x04aaaaaaaaaaaaaaaaaaaa", "save_file"},
		"c.safetensors": {"", "too few"},
		"d.safetensors": {"\xff\xff\xff\xff\xff\xff\xff\x7faaaa", "header of"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.content), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenViT(path, smallViT); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", name, err, c.says)
		}
	}
	if _, err := OpenViT(dir, smallViT); err == nil || !strings.Contains(err.Error(), "not an ordinary file") {
		t.Errorf("a folder: %v", err)
	}
}

// TestOptions: sizes without meaning are told.
func TestOptions(t *testing.T) {
	for says, f := range map[string]func() error{
		"multiples of 16":                   func() error { _, err := UntrainedViT(ViTOptions{H: 100}, 1); return err },
		"Width 100 is not a multiple":       func() error { _, err := UntrainedViT(ViTOptions{Width: 100}, 1); return err },
		"a negative size":                   func() error { _, err := UntrainedViT(ViTOptions{Depth: -1}, 1); return err },
		"at least 32×32":                    func() error { _, err := UntrainedResNet(ResNetOptions{W: 31}, 1); return err },
		"Blocks [1 0 1 1]":                  func() error { _, err := UntrainedResNet(ResNetOptions{Blocks: [4]int{1, 0, 1, 1}}, 1); return err },
		`"vgg"; there are vit_s16 and resn`: func() error { _, err := Untrained("vgg", 0, 1); return err },
		`no network "alexnet"`:              func() error { _, err := Open("alexnet", "x", 0); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}

// TestSizes: the named networks are what they are called, and count what they
// compute.
func TestSizes(t *testing.T) {
	count := func(specs []spec) (n int) {
		for _, s := range specs {
			if !strings.HasSuffix(s.name, "running_mean") && !strings.HasSuffix(s.name, "running_var") {
				n += s.size()
			}
		}
		return n
	}
	v, _ := ViTOptions{}.filled()
	r, _ := ResNetOptions{}.filled()
	// 22,050,664 and 25,557,032 with a classifier of 1000
	if n := count(v.specs()); n != 22050664-385*1000 {
		t.Errorf("ViT-S/16 has %d weights", n)
	}
	if n := count(r.specs()); n != 25557032-2049*1000 {
		t.Errorf("ResNet-50 has %d weights", n)
	}
	b, err := Untrained("resnet50", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if b.In() != (model.Shape{C: 3, H: 224, W: 224}) || b.Width() != 2048 || b.Name() != "resnet50" || b.Weights() != "untrained, seed 1" {
		t.Errorf("%v", b)
	}
	if got := b.Operations() / 2; math.Abs(got-4.087e9) > 1e6 {
		t.Errorf("ResNet-50: %g multiplications", got)
	}
	if got := fmt.Sprint(b); got != "resnet50 on 3×224×224, 2048 features, weights untrained, seed 1" {
		t.Error(got)
	}
}
