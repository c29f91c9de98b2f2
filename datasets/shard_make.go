package datasets

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"

	"github.com/chestlab/chest/datasets/transform"
	"github.com/chestlab/chest/internal/durable"
	"github.com/chestlab/chest/internal/parallel"
)

// shardBlock is how many pictures are decoded before they are written; it bounds
// the memory.
const shardBlock = 32

// makeShard decodes files and writes them as a shard, in one step: a crash leaves
// no half of one. The files begin with number lo of all.
func (s *ImageSet) makeShard(ctx context.Context, path string, head shardHead, paths []string, lo, all int) (*shard, error) {
	durable.Sweep(path)
	var stopped error // no fault of the cache's disk
	err := durable.Write(path, func(w io.Writer) error {
		out := &shardWriter{w: bufio.NewWriterSize(w, 1<<20)}
		for first := 0; first < len(paths); first += shardBlock {
			block := paths[first:min(first+shardBlock, len(paths))]
			if stopped = ctx.Err(); stopped != nil {
				stopped = fmt.Errorf("datasets: %s: stopped after %d of %d files; those in the cache stay there: %w", s.Name, lo, all, stopped)
				return stopped
			}
			if stopped = s.writeBlock(out, block); stopped != nil {
				return stopped
			}
			s.o.Progress.Set(lo+first+len(block), "")
		}
		return out.finish(head)
	})
	if stopped != nil {
		return nil, stopped
	}
	if err == nil {
		var sh *shard
		if sh, err = openShard(path, head); err == nil {
			return sh, nil
		}
	}
	return nil, fmt.Errorf("%s: %w: %w", filepath.Base(path), errUnwritten, err)
}

// writeBlock decodes a few files side by side and writes them in their order. It
// gives an error only for a damaged file that shall be one, and for a file that
// cannot be read, which must not be remembered as damaged.
func (s *ImageSet) writeBlock(out *shardWriter, paths []string) error {
	pictures, reasons := make([]transform.RGB, len(paths)), make([]error, len(paths))
	parallel.For(len(paths), 1, func(i, _ int) {
		m, err := s.fresh(paths[i])
		if err == nil {
			m = m.Clone()
		}
		pictures[i], reasons[i] = m, err
	})
	for i, path := range paths {
		switch {
		case reasons[i] == nil:
			out.add(pictures[i].W, pictures[i].H, pictures[i].Pix)
		case s.o.Damaged == FatalDamage, unreadable(reasons[i]):
			return s.damage(path, reasons[i])
		default:
			text := reasons[i].Error()
			out.add(0, 0, []byte(text[:min(len(text), maxReason)]))
		}
	}
	return nil
}

// shardWriter writes a shard from its beginning to its end.
type shardWriter struct {
	w       *bufio.Writer // keeps its first error
	offset  int64
	entries []shardEntry
}

func (o *shardWriter) add(w, h int, b []byte) {
	o.entries = append(o.entries, shardEntry{o.offset, uint32(w), uint32(h), uint32(len(b)), crc32.Checksum(b, castagnoli)})
	o.w.Write(b)
	o.offset += int64(len(b))
}

func (o *shardWriter) finish(head shardHead) error {
	if int(head.count) != len(o.entries) {
		return errors.New("a picture is missing")
	}
	o.w.Write(head.trailer(o.entries, o.offset))
	return o.w.Flush()
}
