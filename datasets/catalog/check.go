package catalog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"image"
	_ "image/gif" // the standard decoders
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	_ "golang.org/x/image/webp"

	"github.com/chestlab/chest/datasets"
	"github.com/chestlab/chest/internal/parallel"
)

// Bounds of an image, far above the published ones.
const (
	mostBytes  = 64 << 20 // of a file
	mostPixels = 1 << 25  // of a picture, what datasets.Images takes
	anyPixels  = 4 << 20  // of a picture, however few bytes it has
	packing    = 1000     // pixels a byte that a larger one may have
	mostTold   = 50       // problems that a report lists
)

// Report is what Check found.
type Report struct {
	Name     string
	Parts    []string // a line for each
	Notes    []string
	Items    int
	Bytes    int64
	SHA256   string   // of everything that was read, in hexadecimal digits
	Problems []string // the first fifty, in the order of the lists
	Wrong    int      // how many there are
}

// Check reads a data set: all lists, and every image with the standard decoders.
// What is one of the names of datasets.Sources, looked for in dir; or the path of
// a folder of own images, or of a file of features.
//
// An image that cannot be read is a problem in the report; lists that cannot be
// read, and the end of ctx, are errors. The checksum covers parts, classes, paths
// and bytes, so that two copies of a data set are the same if theirs are. Images
// that are in two parts, byte for byte, are said in Notes.
//
// Cost: about 5 ms an image of 500×500 on one core.
func Check(ctx context.Context, what, dir string, p Progress) (*Report, error) {
	if p == nil {
		p = silent{}
	}
	if what == "omniglot" {
		return checkOmniglot(dir)
	}
	if s, err := datasets.SourceOf(what); err == nil {
		if s.Counts[0].Part == "table" {
			return checkTable(what, dir)
		}
		b, err := datasets.ReadBenchmark(ctx, what, dir)
		if err != nil {
			return nil, err
		}
		return checkImages(ctx, b, p)
	}
	st, err := os.Stat(what)
	if err != nil {
		_, unknown := datasets.SourceOf(what)
		return nil, fmt.Errorf("%w, or name a folder of images or a file of features that is there", unknown)
	}
	if !st.IsDir() {
		return checkFeatures(ctx, what)
	}
	b, err := datasets.Folder(ctx, what)
	if err != nil {
		return nil, err
	}
	return checkImages(ctx, b, p)
}

// found is what one image gave.
type found struct {
	sum     [sha256.Size]byte
	bytes   int64
	problem string
}

// checkImages reads the images of a benchmark.
func checkImages(ctx context.Context, b *datasets.Benchmark, p Progress) (*Report, error) {
	r := &Report{Name: b.Name, Notes: slices.Clone(b.Notes)}
	for _, f := range b.Parts() {
		r.Parts = append(r.Parts, f.String())
		r.Items += len(f.Paths)
	}
	p.Start(r.Items, "check "+b.Name)
	all := sha256.New()
	where := map[[sha256.Size]byte]string{} // the first part with these bytes
	doubles := map[string]int{}
	count := counter{to: p}
	for _, f := range b.Parts() {
		images, err := readAll(ctx, f, &count)
		if err != nil {
			p.Finish("stopped")
			return nil, err
		}
		fmt.Fprintf(all, "%q %q\n", f.Name, f.Classes)
		for i, x := range images {
			fmt.Fprintf(all, "%q %d %x\n", f.Paths[i], f.Labels[i], x.sum)
			r.add(x)
			if x.problem != "" {
				continue
			}
			if first, ok := where[x.sum]; !ok {
				where[x.sum] = f.Name
			} else if first != f.Name {
				doubles[first+" and "+f.Name]++
			}
		}
	}
	for _, pair := range sorted(doubles) {
		r.Notes = append(r.Notes, fmt.Sprintf("%d images are in %s, byte for byte", doubles[pair], pair))
	}
	r.SHA256 = hex.EncodeToString(all.Sum(nil))
	p.Finish(fmt.Sprintf("%d problems", r.Wrong))
	return r, nil
}

// sorted is the keys of a map in order.
func sorted(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// add counts an image.
func (r *Report) add(x found) {
	r.Bytes += x.bytes
	if x.problem == "" {
		return
	}
	if r.Wrong++; len(r.Problems) < mostTold {
		r.Problems = append(r.Problems, x.problem)
	}
}

// counter counts what all goroutines did.
type counter struct {
	mu    sync.Mutex
	to    Progress
	done  int
	wrong int
}

func (c *counter) add(problem bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	if problem {
		c.wrong++
	}
	c.to.Set(c.done, fmt.Sprintf("%d problems", c.wrong))
}

// readAll reads the images of a part, in parallel.
func readAll(ctx context.Context, f *datasets.Files, count *counter) ([]found, error) {
	root, err := os.OpenRoot(f.Root)
	if err != nil {
		return nil, fmt.Errorf("catalog: %s: %w", f.Name, err)
	}
	defer root.Close()
	all := make([]found, len(f.Paths))
	err = parallel.Try(len(all), 8, func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("catalog: %s: stopped near image %d of %d: %w", f.Name, i, len(all), err)
			}
			all[i] = look(root, f.Paths[i])
			if all[i].problem != "" {
				all[i].problem = fmt.Sprintf("%s: %s", filepath.Join(f.Root, filepath.FromSlash(f.Paths[i])), all[i].problem)
			}
			count.add(all[i].problem != "")
		}
		return nil
	})
	return all, err
}

// look reads and decodes an image.
func look(root *os.Root, path string) (x found) {
	file, err := root.Open(filepath.FromSlash(path))
	if err != nil {
		x.problem = fmt.Sprintf("%v; unpack the images again", err)
		return x
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, mostBytes+1))
	x.sum, x.bytes = sha256.Sum256(data), int64(len(data))
	switch {
	case err != nil:
		x.problem = fmt.Sprintf("%v; copy the file again", err)
	case len(data) == 0:
		x.problem = "the file is empty; copy it again"
	case len(data) > mostBytes:
		x.problem = fmt.Sprintf("more than %d bytes; this is no image of a data set", mostBytes)
	default:
		x.problem = decode(data)
	}
	return x
}

// decode says what is wrong with an image, "" if nothing is. Its size is looked
// at before its pixels are unpacked.
func decode(data []byte) string {
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Sprintf("no JPEG, PNG, GIF or WebP image: %v; copy it again or convert it", err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > mostPixels/c.Height {
		return fmt.Sprintf("an image of %d×%d; want 1 to %d pixels: make it smaller", c.Width, c.Height, mostPixels)
	}
	if c.Width*c.Height > max(anyPixels, packing*len(data)) {
		return fmt.Sprintf("an image of %d×%d in %d bytes; it is broken or hostile: copy it again", c.Width, c.Height, len(data))
	}
	if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
		return fmt.Sprintf("a broken image of %d×%d: %v; copy it again", c.Width, c.Height, err)
	}
	return ""
}

// checkFeatures reads a file of features.
func checkFeatures(ctx context.Context, path string) (*Report, error) {
	f, err := datasets.ReadFeatures(ctx, path, datasets.FeatureOptions{})
	if err != nil {
		return nil, err
	}
	r := &Report{Name: f.Name, Parts: []string{f.String()}, Items: f.Len(), Bytes: 4 * int64(len(f.X))}
	for _, split := range []string{"train", "query", "gallery"} {
		if f.Splits != nil {
			r.Parts = append(r.Parts, f.Part(split).String())
		}
	}
	all := sha256.New()
	fmt.Fprintf(all, "%d %q %v %q\n", f.D, f.Classes, f.Labels, f.Splits)
	sumFloats(all, f.X)
	r.SHA256 = hex.EncodeToString(all.Sum(nil))
	return r, nil
}

// sumFloats adds numbers to a checksum, the lowest byte first.
func sumFloats(to hash.Hash, x []float32) {
	var b [4]byte
	for _, v := range x {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
		to.Write(b[:])
	}
}

// checkTable reads a table of UCI.
func checkTable(name, dir string) (*Report, error) {
	t, err := datasets.UCI(dir, name)
	if err != nil {
		return nil, err
	}
	all := sha256.New()
	fmt.Fprintf(all, "%q %q %q %v %v\n", t.Columns, t.Classes, t.Names, t.Labels, t.X)
	return &Report{
		Name: t.Name, Parts: []string{t.String()}, Items: t.Len(), Bytes: 8 * int64(len(t.X)), SHA256: hex.EncodeToString(all.Sum(nil)),
	}, nil
}

// checkOmniglot reads the two small archives; their reader decodes every image.
func checkOmniglot(dir string) (*Report, error) {
	split, err := datasets.Omniglot(dir, datasets.OmniglotOptions{})
	if err != nil {
		return nil, err
	}
	r := &Report{Name: "Omniglot"}
	if split.Note != "" {
		r.Notes = []string{split.Note}
	}
	all := sha256.New()
	for _, s := range []*datasets.Set{split.Train, split.Test} {
		r.Parts = append(r.Parts, s.String())
		r.Items += s.Len()
		r.Bytes += int64(len(s.Pixels))
		fmt.Fprintf(all, "%q %q %q %v\n", s.Name, s.Classes, s.Names, s.Labels)
		all.Write(s.Pixels)
	}
	r.SHA256 = hex.EncodeToString(all.Sum(nil))
	return r, nil
}
