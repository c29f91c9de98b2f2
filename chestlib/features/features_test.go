package features

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chestlab/chest/chestlib/backbone"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/cpu"
)

// images is a source of noise with a recipe.
type images struct {
	n      int
	recipe string
	shift  int // of the labels
	slow   time.Duration
	bad    int // item that cannot be read; 0: none
	wrong  int // item with a pixel that is NaN; 0: none
	panics int // item that panics; 0: none
	reads  atomic.Int64
}

func (s *images) Len() int             { return s.n }
func (s *images) Shape() (c, h, w int) { return 3, 16, 16 }
func (s *images) Label(i int) int      { return (i + s.shift) / 4 }
func (s *images) Recipe() string       { return s.recipe }

func (s *images) Item(dst []float32, i int) error {
	s.reads.Add(1)
	time.Sleep(s.slow)
	switch {
	case s.bad > 0 && i == s.bad:
		return errors.New("no such picture")
	case s.panics > 0 && i == s.panics:
		panic("out of range")
	}
	rng := rand.New(rand.NewPCG(7, uint64(i)))
	for k := range dst {
		dst[k] = float32(rng.NormFloat64())
	}
	if s.wrong > 0 && i == s.wrong {
		dst[5] = float32(math.NaN())
	}
	return nil
}

// network is a small vision transformer.
func network(t *testing.T, seed uint64) *backbone.ViT {
	t.Helper()
	b, err := backbone.UntrainedViT(backbone.ViTOptions{H: 16, W: 16, Patch: 8, Width: 12, Depth: 1, Heads: 2}, seed)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func source(n int) *images { return &images{n: n, recipe: "noise of 16×16"} }

var plain = Options{Data: "noise", Version: "1", Batch: 5}

// extract runs Extract into a new folder and returns the file's bytes.
func extract(t *testing.T, b Backbone, src model.Source, o Options) (path string, raw []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "f.safetensors")
	if err := Extract(context.Background(), b, src, path, o); err != nil {
		t.Fatal(err)
	}
	return path, content(t, path)
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestExtract: the file holds the features and labels in the order of the source,
// with what made them, and nothing is left beside it.
func TestExtract(t *testing.T) {
	b, src := network(t, 1), source(23)
	o := plain
	seen := &progress{}
	o.Progress = seen
	path, _ := extract(t, b, src, o)
	set, err := Read(path, Describe(b, src, plain))
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, b.In().Size())
	for i := range src.n {
		if err := src.Item(x, i); err != nil {
			t.Fatal(err)
		}
		got := make([]float32, 12)
		if err := set.Item(got, i); err != nil || !reflect.DeepEqual(got, b.Features(x, 1)) || set.Label(i) != src.Label(i) {
			t.Errorf("item %d: %v, label %d, error %v", i, got, set.Label(i), err)
		}
	}
	want := Record{
		Backbone: "vit of width 12, depth 1, heads 2, patch 8 on 3×16×16", Weights: "untrained, seed 1", Transform: "noise of 16×16", Data: "noise",
		Labels: set.Record.Labels, Items: 23, Width: 12, Version: "1", Level: cpu.Active().String(),
	}
	if set.Record != want || set.Len() != 23 || set.Shard != (Shard{0, 1}) {
		t.Errorf("%+v, %v", set.Record, set)
	}
	if c, h, w := set.Shape(); c != 12 || h*w != 1 {
		t.Errorf("shape %d×%d×%d", c, h, w)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("beside the file there are %v", left)
	}
	if !reflect.DeepEqual(seen.done, []int{0, 5, 10, 15, 20, 23}) || seen.total != 23 || !seen.finished || !strings.Contains(seen.what, "noise") {
		t.Errorf("progress %+v", seen)
	}
	before := src.reads.Load()
	if err := Extract(context.Background(), b, src, path, plain); err != nil || src.reads.Load() != before {
		t.Errorf("a second run: error %v, %d items read", err, src.reads.Load()-before)
	}
}

type progress struct {
	total    int
	what     string
	done     []int
	finished bool
}

func (p *progress) Start(total int, what string) { p.total, p.what = total, what }
func (p *progress) Set(done int, _ string)       { p.done = append(p.done, done) }
func (p *progress) Finish(string)                { p.finished = true }

// TestSameBytes: batch size, readers and processors do not change the file.
func TestSameBytes(t *testing.T) {
	b := network(t, 1)
	_, want := extract(t, b, source(23), plain)
	for _, processors := range []int{1, 3} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		for _, batch := range []int{0, 1, 7, 23, 100} {
			o := plain
			o.Batch, o.Readers = batch, processors
			if _, got := extract(t, b, source(23), o); !bytes.Equal(got, want) {
				t.Errorf("%d processors, batches of %d: another file", processors, batch)
			}
		}
	}
}

// TestStopped: a run that is stopped by its context or by an item says how far it
// came, and the next one computes the rest only.
func TestStopped(t *testing.T) {
	b := network(t, 1)
	_, want := extract(t, b, source(23), plain)
	path := filepath.Join(t.TempDir(), "f.safetensors")
	ctx, cancel := context.WithCancel(context.Background())
	o := plain
	o.Progress = after{10, cancel}
	err := Extract(ctx, b, source(23), path, o)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after 10 of 23 items") || !strings.Contains(err.Error(), path+".work") {
		t.Fatalf("error %v", err)
	}
	src := source(23)
	src.bad = 17
	o.Progress, o.Batch = nil, 3 // another batch size goes on, too
	if err := Extract(context.Background(), b, src, path, o); err == nil || !strings.Contains(err.Error(), "item 17: no such picture; the 16 items before it") {
		t.Errorf("error %v", err)
	}
	src = source(23)
	src.panics = 17
	if err := Extract(context.Background(), b, src, path, o); err == nil || !strings.Contains(err.Error(), "item 17: its source panicked: out of range") {
		t.Errorf("error %v", err)
	}
	src = source(23)
	src.wrong = 22
	if err := Extract(context.Background(), b, src, path, o); err == nil || !strings.Contains(err.Error(), "item 22 has features that are not finite") {
		t.Errorf("error %v", err)
	}
	src = source(23)
	if err := Extract(context.Background(), b, src, path, o); err != nil || !bytes.Equal(content(t, path), want) {
		t.Errorf("error %v, or another file", err)
	}
	if n := src.reads.Load(); n != 1 {
		t.Errorf("%d items were read again, want the last one", n)
	}
}

// after cancels when so many items are done.
type after struct {
	items  int
	cancel func()
}

func (p after) Start(int, string) {}
func (p after) Finish(string)     {}
func (p after) Set(done int, _ string) {
	if done >= p.items {
		p.cancel()
	}
}

// variants are jobs that differ from the plain one in one thing each.
var variants = []struct {
	says  string
	exact bool // it only matters for going on
	seed  uint64
	set   func(o *Options, s *images)
}{
	{"its weights' checksum is untrained, seed 1, not untrained, seed 2", false, 2, func(*Options, *images) {}},
	{`its transform is "noise of 16×16", not "noise of 16×16, mirrored"`, false, 1, func(_ *Options, s *images) { s.recipe += ", mirrored" }},
	{`its data set is "noise", not "snow"`, false, 1, func(o *Options, _ *images) { o.Data = "snow" }},
	{"its number of items is 23, not 22", false, 1, func(_ *Options, s *images) { s.n = 22 }},
	{"its labels' checksum is sha256:", false, 1, func(_ *Options, s *images) { s.shift = 1 }},
	{"its program is version 1, not version 2", true, 1, func(o *Options, _ *images) { o.Version = "2" }},
	{"its program is version 1, not version not told", true, 1, func(o *Options, _ *images) { o.Version = "" }},
	{`its transform is "noise of 16×16" and its data set "noise", here they are "" and "noise"`, true, 1, func(_ *Options, s *images) { s.recipe = "" }},
	{"it holds shard 0/1, not 1/2", true, 1, func(o *Options, _ *images) { o.Shard = Shard{1, 2} }},
}

// TestRefuses: a file or a work file of other features is neither used nor
// overwritten, and the error names both.
func TestRefuses(t *testing.T) {
	done, _ := extract(t, network(t, 1), source(23), plain)
	begun, _ := stopped(t, 1)
	for _, c := range variants {
		o, src := plain, source(23)
		c.set(&o, src)
		b := network(t, c.seed)
		for _, path := range []string{done, begun} {
			before := [2]int64{size(path), size(workPath(path))}
			if err := Extract(context.Background(), b, src, path, o); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "remove it") {
				t.Errorf("error %v, want %q", err, c.says)
			}
			if after := [2]int64{size(path), size(workPath(path))}; before != after {
				t.Errorf("%s: the file changed", c.says)
			}
		}
		_, err := Read(done, Describe(b, src, o))
		if c.exact && err != nil {
			t.Errorf("%s: reading: %v", c.says, err)
		}
		if !c.exact && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("reading: error %v, want %q", err, c.says)
		}
	}
	if err := Extract(context.Background(), network(t, 1), source(23), filepath.Join(done, "below"), plain); err == nil || strings.Contains(err.Error(), "is there already") {
		t.Errorf("below a file: %v", err)
	}
	for _, level := range cpu.Levels() { // another machine
		says := fmt.Sprintf("its level of vector instructions is %s, not %s", cpu.Active(), level)
		restore := cpu.Set(level)
		err := Extract(context.Background(), network(t, 1), source(23), done, plain)
		restore()
		if same := level == cpu.Active(); same && err != nil || !same && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("level %s: %v, want %q", level, err, says)
		}
	}
}

// TestReadRefuses: damaged files and other ones are errors.
func TestReadRefuses(t *testing.T) {
	path, whole := extract(t, network(t, 1), source(23), plain)
	for _, c := range []struct {
		says string
		do   func(b []byte) []byte
	}{
		{"damaged", func(b []byte) []byte { b[len(b)-200] ^= 1; return b }},
		{"the file at", func(b []byte) []byte { return b[:len(b)-8] }},
		{"its format is", func(b []byte) []byte { return bytes.Replace(b, []byte("features 1"), []byte("features 0"), 1) }},
		{"damaged", func(b []byte) []byte { return bytes.Replace(b, []byte("seed 1"), []byte("seed 2"), 1) }},
		{"too few", func([]byte) []byte { return nil }},
	} {
		if err := os.WriteFile(path, c.do(append([]byte(nil), whole...)), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, Record{}); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want %q", err, c.says)
		}
		if err := Extract(context.Background(), network(t, 1), source(23), path, plain); err == nil || !strings.Contains(err.Error(), "is there already") {
			t.Errorf("writing over it: %v", err)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none"), Record{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestJoin: shards in any order make the file of one run, byte for byte, also
// more shards than items; others are refused.
func TestJoin(t *testing.T) {
	b := network(t, 1)
	for _, n := range []int{23, 2, 0} {
		_, want := extract(t, b, source(n), plain)
		for _, of := range []int{1, 2, 3, 7} {
			dir := t.TempDir()
			var paths []string
			for i := range of {
				o := plain
				o.Shard = Shard{i, of}
				paths = append([]string{filepath.Join(dir, fmt.Sprint(i))}, paths...)
				if err := Extract(context.Background(), b, source(n), paths[0], o); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "all")
			if err := Join(path, paths...); err != nil || !bytes.Equal(content(t, path), want) {
				t.Errorf("%d items in %d shards: error %v, or another file", n, of, err)
			}
		}
	}
}

// TestJoinRefuses: shards that are missing, double or of other features.
func TestJoinRefuses(t *testing.T) {
	dir := t.TempDir()
	made := func(name string, seed uint64, s Shard, set func(o *Options, s *images)) string {
		o, src := plain, source(23)
		o.Shard = s
		if set != nil {
			set(&o, src)
		}
		path := filepath.Join(dir, name)
		if err := Extract(context.Background(), network(t, seed), src, path, o); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := made("0", 1, Shard{0, 3}, nil)
	second := made("1", 1, Shard{1, 3}, nil)
	for says, paths := range map[string][]string{
		"no file holds shard 2/3":               {first, second},
		"no file holds shard 1/3, 2/3":          {first},
		"are both shard 0/3":                    {first, second, made("0 again", 1, Shard{0, 3}, nil)},
		"is shard 1/2, ":                        {first, made("1 of 2", 1, Shard{1, 2}, nil)},
		"untrained, seed 2, not untrained, see": {first, made("other weights", 2, Shard{1, 3}, nil)},
		"is version 2, not version 1":           {first, made("other version", 1, Shard{1, 3}, func(o *Options, _ *images) { o.Version = "2" })},
		"no shards":                             nil,
		"no such file":                          {first, filepath.Join(dir, "none")},
	} {
		path := filepath.Join(dir, "all")
		if err := Join(path, paths...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
		if size(path) != -1 {
			t.Errorf("%s: a file was written", says)
		}
	}
}

// TestOptions: what has no meaning is told before anything is computed.
func TestOptions(t *testing.T) {
	for says, o := range map[string]Options{
		"Batch -1":     {Batch: -1},
		"Readers -2":   {Readers: -2},
		"shard 4 of 4": {Shard: Shard{4, 4}},
		"shard 0 of -": {Shard: Shard{0, -1}},
	} {
		path := filepath.Join(t.TempDir(), "f")
		if err := Extract(context.Background(), network(t, 1), source(3), path, o); err == nil || !strings.Contains(err.Error(), says) || size(workPath(path)) != -1 {
			t.Errorf("error %v, want %q", err, says)
		}
	}
	big, err := backbone.UntrainedViT(backbone.ViTOptions{H: 32, W: 16, Patch: 8, Width: 12, Depth: 1, Heads: 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := Extract(context.Background(), big, source(3), filepath.Join(t.TempDir(), "f"), plain); err == nil || !strings.Contains(err.Error(), "takes images of 3×32×16, these are 3×16×16") {
		t.Errorf("another size: %v", err)
	}
	if err := Extract(context.Background(), network(t, 1), source(3), filepath.Join(t.TempDir(), "none", "f"), plain); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	for _, text := range []string{"4/4", "-1/2", "1", "0/0", "1/2x", "a/b", "1/2/3"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("%q is shard %v", text, s)
		}
	}
	if s, err := ParseShard("3/4"); err != nil || s != (Shard{3, 4}) || s.String() != "3/4" || (Shard{}).String() != "0/1" {
		t.Errorf("%v, %v", s, err)
	}
}
