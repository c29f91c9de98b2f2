package datasets

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"path/filepath"
	"runtime"
	"testing"
)

// benchFiles is 32 JPEG files of 500×375, quality 90, of about 80 kB.
func benchFiles(b *testing.B) *Files {
	f := &Files{Name: "bench", Root: b.TempDir(), Classes: []string{"a"}}
	total := 0
	for i := range 32 {
		var data bytes.Buffer
		if err := jpeg.Encode(&data, photo(500, 375, uint64(i)), &jpeg.Options{Quality: 90}); err != nil {
			b.Fatal(err)
		}
		total += data.Len()
		name := fmt.Sprintf("%d.jpg", i)
		writeImage(b, filepath.Join(f.Root, name), data.Bytes())
		f.Paths, f.Labels = append(f.Paths, name), append(f.Labels, 0)
	}
	b.ReportMetric(float64(total/32), "bytes/file")
	return f
}

// BenchmarkImages fetches draws of the ViT recipe that were announced a batch
// ahead, as the trainer does, from files and from the cache.
func BenchmarkImages(b *testing.B) {
	for _, cached := range []bool{false, true} {
		for _, threads := range []int{1, 2} {
			name := fmt.Sprintf("files/threads=%d", threads)
			if cached {
				name = fmt.Sprintf("cache/threads=%d", threads)
			}
			b.Run(name, func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
				o := ImageOptions{Silent: true}
				if cached {
					o.Cache = b.TempDir()
				}
				fetch(b, openSet(b, benchFiles(b), o))
			})
		}
	}
}

// fetch draws items in batches of 64, each announced with its next.
func fetch(b *testing.B, s *ImageSet) {
	const batch = 64
	c, h, w := s.Shape()
	x := make([]float32, c*h*w)
	var items []int
	var draws []uint64
	key := func(n int) (int, uint64) { return n % s.Len(), uint64(n) }
	n := 0
	for b.Loop() {
		if n%batch == 0 {
			items, draws = items[:0], draws[:0]
			for k := n; k < n+2*batch; k++ {
				i, d := key(k)
				items, draws = append(items, i), append(draws, d)
			}
			s.Prefetch(items, draws)
		}
		i, d := key(n)
		if err := s.Draw(x, i, d); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}

// BenchmarkDecode is the decoder alone, with conversion to RGB.
func BenchmarkDecode(b *testing.B) {
	var data bytes.Buffer
	if err := jpeg.Encode(&data, photo(500, 375, 1), &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := decodePicture(data.Bytes(), defaultMaxPixels); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
