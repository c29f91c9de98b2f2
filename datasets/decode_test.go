package datasets

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// decodeReference is testdata/decode.json: files of every kind with Pillow's
// pixels.
type decodeReference struct {
	Files []struct {
		Name      string
		Data, Pix []byte
		W, H      int
	}
}

func readDecodeReference(t testing.TB) decodeReference {
	t.Helper()
	data, err := os.ReadFile("testdata/decode.json")
	if err != nil {
		t.Fatal(err)
	}
	var r decodeReference
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Files) == 0 {
		t.Fatal("the reference is empty")
	}
	return r
}

// TestDecodeIsPillows: without loss every pixel is Pillow's; with loss the inverse
// transforms round differently, by little.
func TestDecodeIsPillows(t *testing.T) {
	for _, f := range readDecodeReference(t).Files {
		m, err := decodePicture(f.Data, defaultMaxPixels)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if m.W != f.W || m.H != f.H {
			t.Errorf("%s: %d×%d, want %d×%d", f.Name, m.W, m.H, f.W, f.H)
			continue
		}
		most, sum := 0, 0
		for y := range m.H {
			for j, v := range m.Row(y) {
				d := int(v) - int(f.Pix[3*y*m.W+j])
				most = max(most, d, -d)
				sum += max(d, -d)
			}
		}
		mean := float64(sum) / float64(len(f.Pix))
		lossy := strings.HasPrefix(f.Name, "jpeg") || strings.HasPrefix(f.Name, "webp lossy")
		if (!lossy && most > 0) || most > 3 || mean > 0.1 {
			t.Errorf("%s: differs by %d, %.3f in the mean", f.Name, most, mean)
		}
	}
}

// TestOddKinds: what no file of the reference has.
func TestOddKinds(t *testing.T) {
	r := image.Rect(0, 0, 2, 1)
	deep := image.NewGray16(r)
	deep.SetGray16(1, 0, color.Gray16{Y: 0xabcd})
	alpha := image.NewAlpha(r)
	alpha.SetAlpha(1, 0, color.Alpha{A: 255})
	frame := image.NewPaletted(image.Rect(1, 1, 2, 2), color.Palette{color.RGBA{R: 9, G: 8, B: 7, A: 255}})
	short := image.NewPaletted(r, color.Palette{color.White})
	short.Pix[1] = 77
	for _, c := range []struct {
		name string
		m    image.Image
		w, h int
		want string
	}{
		{"16-bit grey", deep, 2, 1, "\x00\x00\x00\xab\xab\xab"},
		{"any other", alpha, 2, 1, "\x00\x00\x00\xff\xff\xff"},
		{"frame", frame, 2, 2, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09\x08\x07"},
		{"short palette", short, 2, 1, "\xff\xff\xff\x00\x00\x00"},
	} {
		if got := string(toRGB(c.m, c.w, c.h, false).Pix); got != c.want {
			t.Errorf("%s: %x, want %x", c.name, got, c.want)
		}
	}
}

// TestChromaRatios: rare ratios of JPEG repeat samples or interpolate down the
// columns; a picture of one colour keeps it in each.
func TestChromaRatios(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		for w := 1; w < 10; w++ {
			m := image.NewYCbCr(image.Rect(0, 0, w, 5), ratio)
			for i := range m.Y {
				m.Y[i] = 100
			}
			for i := range m.Cb {
				m.Cb[i], m.Cr[i] = 90, 200
			}
			r, g, b := color.YCbCrToRGB(100, 90, 200)
			out := toRGB(m, w, 5, false)
			for j, v := range out.Pix {
				want := [3]uint8{r, g, b}[j%3]
				if d := int(v) - int(want); d > 1 || d < -1 {
					t.Fatalf("%v, width %d: byte %d is %d, want %d", ratio, w, j, v, want)
				}
			}
		}
	}
}

// pngHead is a PNG that claims a size and has no pixels.
func pngHead(w, h uint32) []byte {
	head := []byte("IHDR\x00\x00\x00\x00\x00\x00\x00\x00\x08\x02\x00\x00\x00")
	binary.BigEndian.PutUint32(head[4:], w)
	binary.BigEndian.PutUint32(head[8:], h)
	data := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	data = binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(head))
	return append(data, "\x00\x00\x10\x00IDAT"...)
}

// webPHead is a WebP whose headers claim two sizes.
func webPHead(outer, inner uint32) []byte {
	data := []byte("RIFF\x2a\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00")
	data = append(data, byte(outer-1), byte((outer-1)>>8), 0, byte(outer-1), byte((outer-1)>>8), 0)
	data = append(data, "VP8L\x10\x00\x00\x00\x2f"...)
	data = binary.LittleEndian.AppendUint32(data, (inner-1)|(inner-1)<<14)
	return append(data, make([]byte, 11)...)
}

// TestHostileHeaders: a claim of any size takes no memory.
func TestHostileHeaders(t *testing.T) {
	jpegHead := []byte("\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c")
	for _, c := range []struct {
		name string
		data []byte
		word string
	}{
		{"png of 10⁹×10⁹", pngHead(1e9, 1e9), "it says 1000000000×1000000000 pixels"},
		{"png of 2³¹-1 × 1", pngHead(1<<31-1, 1), "want at most 33554432 in all"},
		{"png of 60000×60000", pngHead(60000, 60000), "it says 60000×60000 pixels: want at most 33554432 in all; raise MaxPixels"},
		{"png without a pixel", pngHead(0, 4), "PNG"},
		{"jpeg", jpegHead, "65535×65535"},
		{"gif", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00"), "65535×65535"},
		{"webp", webPHead(16384, 16384), "16384×16384"},
		{"webp that hides its size", webPHead(1, 16384), "different sizes"},
		{"empty", nil, "empty"},
		{"text", []byte("<html>404"), "neither JPEG, PNG, GIF nor WebP"},
		{"short webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00"), "WebP"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decodePicture(c.data, defaultMaxPixels)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.word)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s took %d bytes", c.name, n)
		}
	}
}

// TestTruncated: a file that was cut anywhere is an error, or, where only its
// end mark is lost, the whole picture.
func TestTruncated(t *testing.T) {
	for _, f := range readDecodeReference(t).Files {
		for _, share := range []float64{0.1, 0.3, 0.6, 0.9} {
			n := int(share * float64(len(f.Data)))
			if _, err := decodePicture(f.Data[:n], defaultMaxPixels); err == nil {
				t.Errorf("%s: no error for %d of %d bytes", f.Name, n, len(f.Data))
			}
		}
	}
}

func TestReadPictureRefuses(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	f, err := os.Create(large)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(maxImageFile + 1); err != nil { // a hole, no disk
		t.Fatal(err)
	}
	f.Close()
	for path, word := range map[string]string{large: "want at most 67108864", dir: "no ordinary file", os.DevNull: "no ordinary file", filepath.Join(dir, "no"): "no such file"} {
		if _, err := readPicture(path, defaultMaxPixels); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

// FuzzDecode: no file crashes the decoder or takes more pixels than allowed.
func FuzzDecode(f *testing.F) {
	for _, c := range readDecodeReference(f).Files {
		f.Add(c.Data)
	}
	f.Add(pngHead(1e9, 1e9))
	f.Add(webPHead(1, 16384))
	const most = 1 << 14
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodePicture(data, most)
		if err == nil && (m.W < 1 || m.H < 1 || m.W*m.H > most || len(m.Pix) != 3*m.W*m.H) {
			t.Fatalf("%d×%d pixels, %d bytes", m.W, m.H, len(m.Pix))
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an empty message")
		}
	})
}
