package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chestlab/chest/datasets/transform"
)

// shardPictures is how many pictures a file of the cache holds: 134 MB of them at
// a side of 256. What is lost when the building is broken off is one file.
const shardPictures = 512

// pictureCache is decoded pictures on the disk: a folder of shards.
type pictureCache struct {
	dir    string
	bytes  int64
	shards []*shard

	mu     sync.RWMutex
	closed bool
}

var errCacheClosed = errors.New("the cache is closed")

// cacheKey is a hash of all that decides the pictures: format, resize, limits,
// and of every file path, size and time.
func (s *ImageSet) cacheKey(files *Files, stats []fileStat) [32]byte {
	sum := sha256.New()
	fmt.Fprintf(sum, "chest pictures 1\nside %d bicubic\npixels %d\n", s.o.Side, s.o.MaxPixels)
	var b [16]byte
	for i, path := range files.Paths {
		binary.LittleEndian.PutUint64(b[:8], uint64(stats[i].size))
		binary.LittleEndian.PutUint64(b[8:], uint64(stats[i].time))
		fmt.Fprintf(sum, "%q", path)
		sum.Write(b[:])
	}
	return [32]byte(sum.Sum(nil))
}

// cacheFolder is a name for people and a hash.
func cacheFolder(name string, key [32]byte) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '-'
	}, name)
	return plain[:min(len(plain), 40)] + "-" + hex.EncodeToString(key[:10])
}

// buildCache opens the cache and makes what is missing. Without an error it may
// be nil: it could not be written, which is told as a warning.
func (s *ImageSet) buildCache(ctx context.Context, files *Files, stats []fileStat) (*pictureCache, error) {
	key := s.cacheKey(files, stats)
	c := &pictureCache{dir: filepath.Join(s.o.Cache, cacheFolder(s.Name, key))}
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		s.warnUnwritten(err)
		return nil, nil
	}
	err := s.fill(ctx, c, key, files)
	if err == nil {
		err = s.checkReasons(c, files)
	}
	if err == nil {
		return c, nil
	}
	c.close()
	if errors.Is(err, errUnwritten) {
		s.warnUnwritten(err)
		return nil, nil
	}
	return nil, err
}

// errUnwritten marks failures of the cache's disk, beside which files can still
// be decoded.
var errUnwritten = errors.New("not written")

func (s *ImageSet) warnUnwritten(err error) {
	s.warn("unwritten", fmt.Sprintf("datasets: %s: the cache in %s cannot be used: %v: pictures are decoded from their files each time; make room or name another folder", s.Name, s.o.Cache, err))
}

// fill opens the shards that are there and makes the others, with progress.
func (s *ImageSet) fill(ctx context.Context, c *pictureCache, key [32]byte, files *Files) (err error) {
	n, making := len(files.Paths), false
	defer func() {
		if making {
			s.o.Progress.Finish(finished(err))
		}
	}()
	for lo := 0; lo < n; lo += shardPictures {
		paths := files.Paths[lo:min(lo+shardPictures, n)]
		path := filepath.Join(c.dir, fmt.Sprintf("%05d.pictures", lo/shardPictures))
		head := shardHead{key: key, number: uint32(lo / shardPictures), count: uint32(len(paths))}
		sh, err := openShard(path, head)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				s.warn("shard", fmt.Sprintf("datasets: %s: %s of the cache is damaged (%v) and is made again", s.Name, path, err))
			}
			if !making {
				making = true
				s.o.Progress.Start(n, "decoding "+s.Name)
			}
			if sh, err = s.makeShard(ctx, path, head, paths, lo, n); err != nil {
				return err
			}
			s.o.Progress.Set(lo+len(paths), fmt.Sprintf("%.0f MB", float64(c.bytes+sh.size)/1e6))
		}
		c.shards, c.bytes = append(c.shards, sh), c.bytes+sh.size
	}
	return nil
}

// checkReasons makes a damaged file an error, if it shall be one.
func (s *ImageSet) checkReasons(c *pictureCache, files *Files) error {
	if s.o.Damaged == SkipDamage {
		return nil
	}
	for i, reason := range c.reasons() {
		if reason != "" {
			return s.damage(files.Paths[i], errors.New(reason))
		}
	}
	return nil
}

// reasons is, for each file, why it could not be decoded; "" if it could.
func (c *pictureCache) reasons() (all []string) {
	for _, sh := range c.shards {
		for i := range sh.entries {
			all = append(all, sh.reason(i))
		}
	}
	return all
}

// picture is picture i, in memory of its own.
func (c *pictureCache) picture(i int) (transform.RGB, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return transform.RGB{}, errCacheClosed
	}
	return c.shards[i/shardPictures].picture(i % shardPictures)
}

func (c *pictureCache) close() (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	for _, sh := range c.shards {
		err = errors.Join(err, sh.close())
	}
	return err
}
