// Package unzip reads zip files that may come from anywhere: the names of their
// entries are plain, and an entry unpacks to no more than is deserved.
package unzip

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Bounds of an archive.
const (
	mostEntries = 100_000
	freely      = 16 << 20 // bytes that any entry may unpack to
	ratio       = 100      // times its packed size that a larger one may
)

// Entries lists a zip file of n bytes by name. Folders are left out. A name
// that is absolute, climbs out of its folder or stands there twice is an error.
func Entries(r io.ReaderAt, n int64) (map[string]*zip.File, error) {
	z, err := zip.NewReader(r, n)
	if err != nil {
		return nil, fmt.Errorf("%w; the file is cut short or no zip file", err)
	}
	if len(z.File) > mostEntries {
		return nil, fmt.Errorf("%d entries; want at most %d", len(z.File), mostEntries)
	}
	entries := make(map[string]*zip.File, len(z.File))
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if !fs.ValidPath(f.Name) || strings.ContainsAny(f.Name, "\\:") {
			return nil, fmt.Errorf("entry %.200q is no plain relative path; the file is broken or hostile", f.Name)
		}
		if _, twice := entries[f.Name]; twice {
			return nil, fmt.Errorf("entry %.200q stands there twice; the file is broken or hostile", f.Name)
		}
		entries[f.Name] = f
	}
	return entries, nil
}

// Begin unpacks at most the first n bytes of an entry.
func Begin(f *zip.File, n int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("entry %.200q: %w", f.Name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil {
		return nil, fmt.Errorf("entry %.200q: %w", f.Name, err)
	}
	return data, nil
}

// Read unpacks an entry of at most limit bytes. What the directory says of its
// size is not trusted: memory grows with what really comes out, and more than 16
// MiB may come only out of a hundredth of it.
func Read(f *zip.File, limit int64) ([]byte, error) {
	limit = min(limit, max(freely, int64(min(f.CompressedSize64, 1<<50))*ratio))
	if f.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("entry %.200q: %d bytes unpacked out of %d; want at most %d", f.Name, f.UncompressedSize64, f.CompressedSize64, limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("entry %.200q: %w", f.Name, err)
	}
	defer r.Close()
	data, err := readAll(r, int64(f.UncompressedSize64), limit)
	if err != nil {
		return nil, fmt.Errorf("entry %.200q: %w", f.Name, err)
	}
	return data, nil
}

// readAll reads at most limit bytes. The first megabytes of what is promised are
// set aside at once, the rest as it comes.
func readAll(r io.Reader, promised, limit int64) ([]byte, error) {
	data := make([]byte, 0, min(promised, 1<<20)+1)
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, fmt.Errorf("more than %d bytes unpacked", limit)
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		case len(data) == cap(data):
			more := make([]byte, len(data), min(2*int64(cap(data)), max(promised, limit))+1)
			copy(more, data)
			data = more
		}
	}
}
