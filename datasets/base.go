package datasets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath is the longest path of an image, in bytes.
const maxPath = 1024

// base is the folder of a data set. Nothing outside of it is opened, whatever
// the paths of lists and the symbolic links in it say.
type base struct {
	source Source
	path   string
	root   *os.Root
	ctx    context.Context
}

// openBase finds the folder of a source in dir: dir itself or a subfolder of
// one of the source's names. An empty dir means the folder of DataVariable.
func openBase(ctx context.Context, name, dir string) (*base, error) {
	s, err := SourceOf(name)
	if err != nil {
		return nil, err
	}
	at, err := s.Find(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(at)
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", s.Title, err)
	}
	return &base{s, at, root, ctx}, nil
}

// Find is the folder that holds the data: dir itself or a subfolder that has
// one of the source's names. An empty dir means the folder of DataVariable. If
// there is none the error wraps ErrNoData and says how to get the data.
func (s Source) Find(dir string) (string, error) {
	if dir == "" {
		dir = os.Getenv(DataVariable)
	}
	if dir == "" {
		return "", fmt.Errorf("%w: %s: no folder given and %s is not set. %s", ErrNoData, s.Title, DataVariable, s.Whence())
	}
	for _, folder := range append([]string{"."}, s.Folders...) {
		for _, mark := range s.Marks {
			at := filepath.Join(dir, folder)
			if _, err := os.Stat(filepath.Join(at, filepath.FromSlash(mark))); !errors.Is(err, fs.ErrNotExist) && !notFolder(err) {
				return at, nil
			}
		}
	}
	return "", fmt.Errorf("%w: %s: no %s in %s or its subfolder %s. %s", ErrNoData, s.Title, strings.Join(s.Marks, " or "), dir, s.Folders[0], s.Whence())
}

// notFolder is true if a parent of the path was a file.
func notFolder(err error) bool {
	return err != nil && strings.Contains(err.Error(), "not a directory")
}

func (b *base) close() { b.root.Close() }

// errorf is an error about a file, and a line of it unless that is 0. Its text
// says what was found and, after a semicolon, what to do.
func (b *base) errorf(file string, line int, format string, args ...any) error {
	where := filepath.Join(b.path, filepath.FromSlash(file))
	if line > 0 {
		where += fmt.Sprintf(" line %d", line)
	}
	return fmt.Errorf("datasets: %s: %s: %w", b.source.Title, where, fmt.Errorf(format, args...))
}

// has says whether the folder has an entry of this name, be it a link that leads
// out of it: reading it tells.
func (b *base) has(name string) bool {
	_, err := b.root.Lstat(filepath.FromSlash(name))
	return err == nil
}

// read reads a whole file of at most limit bytes.
func (b *base) read(name string, limit int64) ([]byte, error) {
	f, err := b.root.Open(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s: no %s in %s; the folder holds %s. %s", ErrNoData, b.source.Title, name, b.path, b.source.Layout, b.source.Whence())
	}
	if err != nil {
		return nil, b.errorf(name, 0, "%s", opening(err))
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, b.errorf(name, 0, "%w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, b.errorf(name, 0, "not a file but %s; put the published file there", st.Mode().Type())
	}
	if st.Size() > limit {
		return nil, b.errorf(name, 0, "%d bytes; want at most %d, which is far above the published file", st.Size(), limit)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes; it grew while it was read", limit)
	}
	if err != nil {
		return nil, b.errorf(name, 0, "%w", err)
	}
	return data, nil
}

// opening says why a file inside a root cannot be opened.
func opening(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	if strings.Contains(err.Error(), "escapes") {
		return "a symbolic link leads out of the folder; copy the files into it, or make the whole folder the link"
	}
	return fmt.Sprintf("%v; check its name and rights", err)
}

// checkPath says what is wrong with the path of an image in a list: it has to be
// relative, slash-separated, and to stay in its folder.
func checkPath(p string) error {
	switch {
	case p == "" || len(p) > maxPath:
		return fmt.Errorf("a path of %d bytes; want 1 to %d", len(p), maxPath)
	case !plain(p):
		return fmt.Errorf("path %s is not plain text; write it in UTF-8 without control characters", shown(p))
	case strings.Contains(p, `\`):
		return fmt.Errorf("path %s has a backslash; separate folders by /", shown(p))
	case path.IsAbs(p) || len(p) > 1 && p[1] == ':':
		return fmt.Errorf("path %s is absolute; want one that is relative to the folder of the images", shown(p))
	case !fs.ValidPath(p) || p == "." || !filepath.IsLocal(filepath.FromSlash(p)):
		return fmt.Errorf("path %s has an element \".\", \"..\" or nothing, and may leave its folder; want a plain relative path", shown(p))
	}
	return nil
}

// plain is true of a text that is not empty, UTF-8 and without control characters.
func plain(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// present checks that the images of a list, in folder under, are there. It
// says which is missing first and how many others are.
func (b *base) present(list, under string, items []listed) error {
	root := b.root
	if under != "" {
		sub, err := os.OpenRoot(filepath.Join(b.path, under)) // may itself be a link
		if err != nil {
			return b.errorf(under, 0, "%s", opening(err))
		}
		defer sub.Close()
		root = sub
	}
	var first error
	missing := 0
	for i, it := range items {
		if i%1024 == 0 && b.ctx.Err() != nil {
			return fmt.Errorf("datasets: %s: stopped at image %d of %d: %w", b.source.Title, i, len(items), b.ctx.Err())
		}
		st, err := root.Stat(filepath.FromSlash(it.path))
		var why string
		switch {
		case errors.Is(err, fs.ErrNotExist):
			why = fmt.Sprintf("there is no such file in %s; unpack the images again", filepath.Join(b.path, under))
		case err != nil:
			why = opening(err)
		case !st.Mode().IsRegular():
			why = "it is no file; unpack the images again"
		default:
			continue
		}
		if missing++; first == nil {
			first = b.errorf(list, it.line, "image %s: %s", shown(it.path), why)
		}
	}
	if missing > 1 {
		return fmt.Errorf("%w (and %d more images like it)", first, missing-1)
	}
	return first
}
