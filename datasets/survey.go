package datasets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/chestlab/chest/internal/parallel"
)

// check says whether the parts of a list of files fit each other.
func (f *Files) check() error {
	if f == nil || len(f.Paths) == 0 {
		return fmt.Errorf("datasets: Images: there are no files: want at least one")
	}
	if len(f.Labels) != len(f.Paths) {
		return fmt.Errorf("datasets: %s: %d Labels for %d Paths: want one for each", f.Name, len(f.Labels), len(f.Paths))
	}
	for i, path := range f.Paths {
		if !filepath.IsLocal(filepath.FromSlash(path)) {
			return fmt.Errorf("datasets: %s: path %d, %s: want one that stays within Root", f.Name, i, shown(path))
		}
		if c := f.Labels[i]; c < 0 || c >= len(f.Classes) {
			return fmt.Errorf("datasets: %s: %s: label %d: want 0 to %d, as there are %d Classes", f.Name, shown(path), c, len(f.Classes)-1, len(f.Classes))
		}
	}
	if f.Super == nil && len(f.Supers) == 0 {
		return nil
	}
	if len(f.Super) != len(f.Classes) {
		return fmt.Errorf("datasets: %s: Super has length %d, want %d, one for each class", f.Name, len(f.Super), len(f.Classes))
	}
	for c, p := range f.Super {
		if p < 0 || p >= len(f.Supers) {
			return fmt.Errorf("datasets: %s: Super[%d] = %d: want 0 to %d, as there are %d Supers", f.Name, c, p, len(f.Supers)-1, len(f.Supers))
		}
	}
	return nil
}

// fileStat is what tells a file from a later one of its name; zero if there is
// none.
type fileStat struct{ size, time int64 }

// stat looks at every file, without reading any. One that is not there is an
// error, unless damaged files are skipped.
func (f *Files) stat(ctx context.Context, damaged Damaged) ([]fileStat, error) {
	stats := make([]fileStat, len(f.Paths))
	err := parallel.Try(len(stats), 256, func(lo, hi int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("datasets: %s: stopped near file %d of %d: %w", f.Name, lo, len(stats), err)
		}
		for i := lo; i < hi; i++ {
			st, err := os.Stat(filepath.Join(f.Root, filepath.FromSlash(f.Paths[i])))
			if err == nil {
				stats[i] = fileStat{st.Size(), st.ModTime().UnixNano()}
			} else if damaged == FatalDamage || unreadable(err) {
				return fmt.Errorf("datasets: %s: %w; get the file, correct Files.Root, or set ImageOptions.Damaged to SkipDamage", f.Name, err)
			}
		}
		return nil
	})
	return stats, err
}

// survey makes the cache if one is asked for, and finds damaged files if they are
// to be skipped: the reason of each, "" for those that are fine; nil if nobody
// looked.
func (s *ImageSet) survey(ctx context.Context, files *Files, stats []fileStat) ([]string, error) {
	if s.o.Cache != "" {
		cache, err := s.buildCache(ctx, files, stats)
		switch {
		case err != nil:
			return nil, err
		case cache != nil:
			s.cache = cache
			return cache.reasons(), nil
		}
	}
	if s.o.Damaged == FatalDamage {
		return nil, nil
	}
	return s.tryAll(ctx, files)
}

// tryAll decodes every file once.
func (s *ImageSet) tryAll(ctx context.Context, files *Files) ([]string, error) {
	reasons := make([]string, len(files.Paths))
	var done atomic.Int64
	s.o.Progress.Start(len(reasons), "checking "+s.Name)
	err := parallel.Try(len(reasons), 8, func(lo, hi int) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("datasets: %s: stopped after %d of %d files: %w", s.Name, done.Load(), len(reasons), err)
		}
		for i := lo; i < hi; i++ {
			_, err := s.fresh(files.Paths[i])
			if unreadable(err) {
				return s.damage(files.Paths[i], err)
			}
			if err != nil {
				reasons[i] = err.Error()
			}
		}
		s.o.Progress.Set(int(done.Add(int64(hi-lo))), "")
		return nil
	})
	s.o.Progress.Finish(finished(err))
	return reasons, err
}

// unreadable says that the system failed to read a file that is there, for want
// of permission or by a fault of the disk: it says nothing about the picture.
func unreadable(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && !errors.Is(err, fs.ErrNotExist)
}

// finished is the last line of a progress.
func finished(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}
