// Package durable writes files so that a crash leaves the old one or the new
// one, whole.
package durable

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
)

// Write writes a file in one step: to a new file beside path, synced, then
// renamed. A file that was there keeps its mode and, behind a symbolic link, its
// place; what is no ordinary file, such as /dev/stdout, is written to directly.
// When write or anything else fails the old file stays as it was.
func Write(path string, write func(w io.Writer) error) error {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		path = p
	}
	mode := os.FileMode(0o666) // before the umask
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return closed(f, write(f))
	}
	temp := temporary(path)
	defer os.Remove(temp)
	if err := writeSynced(temp, mode, write); err != nil {
		return err
	}
	if err == nil {
		os.Chmod(temp, st.Mode().Perm())
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// temporary is a hidden name beside path that nobody has.
func temporary(path string) string {
	b := make([]byte, 6)
	rand.Read(b)
	return temp(path, hex.EncodeToString(b))
}

func temp(path, suffix string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+suffix)
}

// Sweep removes what killed writers of path have left beside it. Nobody else may
// be writing path.
func Sweep(path string) {
	all, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".*"))
	for _, left := range all {
		if suffix := left[max(len(left)-12, 0):]; left == temp(path, suffix) {
			if _, err := hex.DecodeString(suffix); err == nil {
				os.Remove(left)
			}
		}
	}
}

// writeSynced writes a new file and waits until it is on the disk.
func writeSynced(path string, mode os.FileMode, write func(w io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	return closed(f, err)
}

// closed closes f and returns err, or what closing found.
func closed(f *os.File, err error) error {
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// syncDir makes a rename in dir last. Systems that cannot do it need not.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}
