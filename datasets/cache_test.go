package datasets

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// shardsOf is the files of a cache.
func shardsOf(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", "*.pictures"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// warnings collects what a set says.
func warnings(o *ImageOptions) *[]string {
	var said []string
	o.OnWarn = func(text string) { said = append(said, text) }
	return &said
}

// TestCacheHasTheSameBits: built, opened again, closed, and without files.
func TestCacheHasTheSameBits(t *testing.T) {
	f := writePhotos(t, 6, 40, 30)
	o := smallRecipes()
	plain := openSet(t, f, o)
	o.Cache = t.TempDir()
	said := warnings(&o)
	built := openSet(t, f, o)
	want := allDraws(t, built)
	x, y := make([]float32, 3*16*16), make([]float32, 3*16*16)
	for i := range 6 { // the resize of the recipe is that of the cache
		if err := errors.Join(plain.Item(x, i), built.Item(y, i)); err != nil || !reflect.DeepEqual(x, y) {
			t.Errorf("item %d differs from that without a cache: %v", i, err)
		}
	}
	shards := shardsOf(t, o.Cache)
	st, err := os.Stat(shards[0])
	if err != nil || len(shards) != 1 || built.CacheSize() != st.Size() || plain.CacheSize() != 0 || !strings.Contains(built.String(), "cache 0.0 MB in "+filepath.Dir(shards[0])) {
		t.Errorf("%d shards of %d bytes, %v: %s", len(shards), built.CacheSize(), err, built)
	}
	again := openSet(t, f, o)
	if !reflect.DeepEqual(allDraws(t, again), want) {
		t.Error("the opened cache has other bits")
	}
	if after, err := os.Stat(shards[0]); err != nil || after.ModTime() != st.ModTime() {
		t.Error("the cache was written again")
	}
	again.Close()
	if !reflect.DeepEqual(allDraws(t, again), want) {
		t.Error("a closed set has other bits")
	}
	if err := os.RemoveAll(f.Root); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(allDraws(t, built), want) {
		t.Error("without its files the cached set has other bits")
	}
	if len(*said) > 0 {
		t.Errorf("warnings %v", *said)
	}
}

// TestCacheKey: other files, times, sides or limits have another cache; other
// labels, recipes and seeds share it.
func TestCacheKey(t *testing.T) {
	f := writePhotos(t, 3, 40, 30)
	o := smallRecipes()
	o.Cache = t.TempDir()
	count := func() int { openSet(t, f, o); return len(shardsOf(t, o.Cache)) }
	if n := count(); n != 1 {
		t.Fatalf("%d caches", n)
	}
	o.Seed, f.Labels[0], o.Item = 99, 1, nil
	o.Draw = nil
	if n := count(); n != 1 {
		t.Errorf("%d caches after changes that leave the pictures", n)
	}
	o.Side = 24
	if n := count(); n != 2 {
		t.Errorf("%d caches, want another for another side", n)
	}
	o.MaxPixels = 1 << 20
	if n := count(); n != 3 {
		t.Errorf("%d caches, want another for another limit", n)
	}
	old := time.Unix(1e9, 0)
	if err := os.Chtimes(filepath.Join(f.Root, f.Paths[1]), old, old); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 4 {
		t.Errorf("%d caches, want another for another time of a file", n)
	}
	f.Paths[0], f.Paths[1] = f.Paths[1], f.Paths[0]
	if n := count(); n != 5 {
		t.Errorf("%d caches, want another for another order", n)
	}
}

// TestDamagedCache: a shard with a wrong end is made again, a picture with wrong
// bytes decoded anew; both are said, and the bits stay.
func TestDamagedCache(t *testing.T) {
	f := writePhotos(t, 6, 40, 30)
	o := smallRecipes()
	o.Cache = t.TempDir()
	want := allDraws(t, openSet(t, f, o))
	shard := shardsOf(t, o.Cache)[0]
	data, err := os.ReadFile(shard)
	if err != nil {
		t.Fatal(err)
	}
	end := len(data) - footSize
	for _, c := range []struct {
		name, word string
		change     func(b []byte) []byte
	}{
		{"cut", "made again", func(b []byte) []byte { return b[:len(b)-100] }},
		{"cut to nothing", "made again", func(b []byte) []byte { return nil }},
		{"longer", "made again", func(b []byte) []byte { return append(b, 0) }},
		{"magic", "made again", func(b []byte) []byte { b[end]++; return b }},
		{"version", "made again", func(b []byte) []byte { b[end+8]++; return b }},
		{"key", "made again", func(b []byte) []byte { b[len(b)-1]++; return b }},
		{"offset in the table", "made again", func(b []byte) []byte { b[end-6*entrySize]++; return b }},
		{"checksum of the table", "made again", func(b []byte) []byte { b[end+20]++; return b }},
		{"picture", "decoded from their files", func(b []byte) []byte { b[1]++; return b }},
	} {
		writeImage(t, shard, c.change(slices.Clone(data)))
		said := warnings(&o)
		s := openSet(t, f, o)
		if got := allDraws(t, s); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other bits", c.name)
		}
		if len(*said) != 1 || !strings.Contains((*said)[0], c.word) {
			t.Errorf("%s: said %v, want one with %q", c.name, *said, c.word)
		}
		if c.word != "made again" {
			continue
		}
		if now, err := os.ReadFile(shard); err != nil || !slices.Equal(now, data) {
			t.Errorf("%s: the shard was not made again: %v", c.name, err)
		}
	}
}

// TestHostileShard: a table whose checksum is right, but whose entries point
// outside or claim any size, is refused before memory is taken.
func TestHostileShard(t *testing.T) {
	head := shardHead{count: 1}
	path := filepath.Join(t.TempDir(), "a")
	for _, e := range []shardEntry{
		{offset: -1, w: 1, h: 1, length: 3}, {offset: 1 << 62, w: 1, h: 1, length: 3}, {w: 1, h: 1, length: 1 << 31},
		{w: 1 << 31, h: 1 << 31, length: 3}, {w: 0, h: 1, length: 3}, {length: 0}, {length: 5}, {offset: 7, w: 1, h: 1, length: 3}, {length: 3, sum: 1},
	} {
		writeImage(t, path, append(make([]byte, 8), head.trailer([]shardEntry{e}, 8)...))
		if s, err := openShard(path, head); err == nil {
			t.Errorf("%+v: no error", e)
			s.close()
		}
	}
}

// TestShardCutWhileOpen: a file that loses its end while it is mapped gives an
// error, and not a fault.
func TestShardCutWhileOpen(t *testing.T) {
	f := writePhotos(t, 6, 400, 300)
	o := smallRecipes()
	o.Cache, o.Side = t.TempDir(), 100
	said := warnings(&o)
	s := openSet(t, f, o)
	want := allDraws(t, s)
	if err := os.Truncate(shardsOf(t, o.Cache)[0], 10); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(allDraws(t, s), want) {
		t.Error("other bits")
	}
	if len(*said) != 1 || !strings.Contains((*said)[0], "decoded from their files") {
		t.Errorf("said %v", *said)
	}
}

// TestPlainPages: without a map the file is read in the plain way.
func TestPlainPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	writeImage(t, path, []byte("0123456789"))
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &pages{f: f}
	b := make([]byte, 3)
	if err := p.read(b, 4); err != nil || string(b) != "456" {
		t.Errorf("%q, %v", b, err)
	}
	if err := p.read(b, 8); err == nil {
		t.Error("no error beyond the end")
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}

// TestCacheResumes: building that was broken off keeps whole shards and goes on
// with the next.
func TestCacheResumes(t *testing.T) {
	f := writePhotos(t, 3, 12, 9)
	paths, labels := f.Paths, f.Labels
	f.Paths, f.Labels = nil, nil
	for i := range 2*shardPictures + 40 { // the same few files over and over
		f.Paths, f.Labels = append(f.Paths, paths[i%3]), append(f.Labels, labels[i%3])
	}
	o := smallRecipes()
	o.Cache = t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	broken := o
	broken.Silent, broken.Progress = false, &stopAfter{shardPictures + 100, stop}
	_, err := openImages(ctx, f, broken)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stopped after 512 of 1064 files") {
		t.Fatalf("error %v", err)
	}
	first := shardsOf(t, o.Cache)
	if len(first) != 1 {
		t.Fatalf("left are %v", first)
	}
	if left, err := os.ReadDir(filepath.Dir(first[0])); err != nil || len(left) != 1 {
		t.Errorf("left are %v, %v", left, err)
	}
	before, err := os.Stat(first[0])
	if err != nil {
		t.Fatal(err)
	}
	s := openSet(t, f, o)
	after, err := os.Stat(first[0])
	if err != nil || len(shardsOf(t, o.Cache)) != 3 || after.ModTime() != before.ModTime() {
		t.Errorf("%v, %v: the first shard was made again", shardsOf(t, o.Cache), err)
	}
	x, y := make([]float32, 3*16*16), make([]float32, 3*16*16)
	if err := errors.Join(s.Item(x, 1), s.Item(y, 2*shardPictures+3)); err != nil || !reflect.DeepEqual(x, y) {
		t.Errorf("the first and the last shard differ about one file: %v", err)
	}
}

// TestCacheNeedsNoDisk: a folder that cannot be made is said, and the bits stay.
func TestCacheNeedsNoDisk(t *testing.T) {
	f := writePhotos(t, 3, 40, 30)
	o := smallRecipes()
	o.Cache = t.TempDir()
	want := allDraws(t, openSet(t, f, o))
	file := filepath.Join(t.TempDir(), "file")
	writeImage(t, file, nil)
	o.Cache = file
	said := warnings(&o)
	s := openSet(t, f, o)
	if !reflect.DeepEqual(allDraws(t, s), want) || s.CacheSize() != 0 {
		t.Error("other bits")
	}
	if len(*said) != 1 || !strings.Contains((*said)[0], "make room or name another folder") {
		t.Errorf("said %v", *said)
	}
}

// TestSmallPicturesStay: the cache does not enlarge.
func TestSmallPicturesStay(t *testing.T) {
	f := writePhotos(t, 1, 12, 9)
	o := smallRecipes()
	o.Cache = t.TempDir()
	m, err := openSet(t, f, o).Image(0)
	if err != nil || m.Bounds().Dx() != 12 {
		t.Errorf("%v, %v", m.Bounds(), err)
	}
}
