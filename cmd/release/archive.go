package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// writeTar packs files below the folder top. All are of one time and of nobody.
func writeTar(path, top string, stamp time.Time, files []file) error {
	return write(path, func(w io.Writer) error {
		zw, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err != nil {
			return err
		}
		tw := tar.NewWriter(zw)
		for _, f := range sorted(files) {
			h := &tar.Header{Name: top + "/" + f.name, Mode: int64(f.mode), Size: int64(len(f.text)), ModTime: stamp, Format: tar.FormatUSTAR}
			if err := tw.WriteHeader(h); err != nil {
				return err
			}
			if _, err := tw.Write(f.text); err != nil {
				return err
			}
		}
		if err := tw.Close(); err != nil {
			return err
		}
		return zw.Close()
	})
}

// writeZip does the same for Windows.
func writeZip(path, top string, stamp time.Time, files []file) error {
	return write(path, func(w io.Writer) error {
		zw := zip.NewWriter(w)
		for _, f := range sorted(files) {
			h := &zip.FileHeader{Name: top + "/" + f.name, Method: zip.Deflate, Modified: stamp}
			h.SetMode(f.mode)
			e, err := zw.CreateHeader(h)
			if err == nil {
				_, err = e.Write(f.text)
			}
			if err != nil {
				return err
			}
		}
		return zw.Close()
	})
}

func sorted(files []file) []file {
	return slices.SortedFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.name, b.name) })
}

// write writes a file by f.
func write(path string, f func(io.Writer) error) error {
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	err = f(to)
	if closed := to.Close(); err == nil {
		err = closed
	}
	return err
}

// sumOf is a file's SHA-256 and its size.
func sumOf(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
