package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"github.com/chestlab/chest/datasets/transform"
	"golang.org/x/image/webp"
)

// Bounds of an image file, so that a broken or hostile one ends in an error and
// not in the whole memory. A decoder takes up to 15 bytes a pixel (a progressive
// JPEG) beside the picture of 3.
const (
	maxImageFile     = 64 << 20 // bytes of the file
	defaultMaxPixels = 1 << 25  // width × height, 33.5 million
)

// pictureFormat is a kind of image file.
type pictureFormat struct {
	name   string
	is     func(head []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var pictureFormats = []pictureFormat{
	{"JPEG", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\xff\xd8")) }, jpeg.DecodeConfig, jpeg.Decode},
	{"PNG", func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) }, png.DecodeConfig, png.Decode},
	{"GIF", func(b []byte) bool { return bytes.HasPrefix(b, []byte("GIF8")) }, gif.DecodeConfig, gif.Decode},
	{"WebP", isWebP, webp.DecodeConfig, webp.Decode},
}

// decodePicture decodes a JPEG, PNG, GIF (its first frame) or WebP file; its first
// bytes tell which, not its name. The size is read and checked before any memory
// for pixels is taken.
//
// What is not RGB becomes so as Pillow's convert("RGB") does it: grey is
// repeated, alpha is dropped without blending, palettes are looked up, CMYK is
// (255-C)(255-K)/255 and so on. Of 16 bits the upper 8 are kept (Pillow cuts 16-bit
// grey at 255 instead). A transparent pixel of a GIF is black. The orientation
// that EXIF data ask for is ignored, as Pillow does unless told, and colour
// profiles are, too.
func decodePicture(data []byte, maxPixels int) (m transform.RGB, err error) {
	f, err := formatOf(data)
	if err != nil {
		return m, err
	}
	defer func() { // decoders are others' code, files are anybody's
		if p := recover(); p != nil {
			m, err = transform.RGB{}, fmt.Errorf("broken %s file: its decoder failed: %v", f.name, p)
		}
	}()
	c, err := f.config(bytes.NewReader(data))
	if err != nil {
		return m, fmt.Errorf("broken %s file: %w", f.name, err)
	}
	if f.name == "WebP" {
		if c.Width, c.Height, err = webPSize(data); err != nil {
			return m, err
		}
	}
	if err := checkPixels(c.Width, c.Height, maxPixels); err != nil {
		return m, err
	}
	decoded, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return m, fmt.Errorf("broken %s file: %w", f.name, err)
	}
	if b := decoded.Bounds(); b.Empty() || b.Min.X < 0 || b.Min.Y < 0 || b.Max.X > c.Width || b.Max.Y > c.Height {
		return m, fmt.Errorf("broken %s file: pixels %v, but it says %d×%d", f.name, b, c.Width, c.Height)
	}
	return toRGB(decoded, c.Width, c.Height, f.name == "WebP"), nil
}

// formatOf is the format of a file.
func formatOf(data []byte) (pictureFormat, error) {
	if len(data) == 0 {
		return pictureFormat{}, errors.New("the file is empty")
	}
	for _, f := range pictureFormats {
		if f.is(data) {
			return f, nil
		}
	}
	return pictureFormat{}, fmt.Errorf("neither JPEG, PNG, GIF nor WebP: it begins with % x", data[:min(len(data), 8)])
}

// checkPixels says whether a picture may be decoded.
func checkPixels(w, h, most int) error {
	if w < 1 || h < 1 {
		return fmt.Errorf("it says %d×%d pixels: want at least one", w, h)
	}
	if int64(w) > int64(most)/int64(h) {
		return fmt.Errorf("it says %d×%d pixels: want at most %d in all; raise MaxPixels if that is right", w, h, most)
	}
	return nil
}

// readPicture reads and decodes a file.
func readPicture(path string, maxPixels int) (transform.RGB, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return transform.RGB{}, err
	case !st.Mode().IsRegular():
		return transform.RGB{}, errors.New("no ordinary file")
	case st.Size() > maxImageFile:
		return transform.RGB{}, fmt.Errorf("%d bytes: want at most %d", st.Size(), maxImageFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return transform.RGB{}, err
	}
	defer f.Close()
	var data bytes.Buffer
	data.Grow(int(st.Size()) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(f, maxImageFile)); err != nil {
		return transform.RGB{}, err
	}
	return decodePicture(data.Bytes(), maxPixels)
}
