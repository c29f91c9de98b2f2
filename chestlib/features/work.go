package features

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/chestlab/chest/internal/durable"
)

// workMagic begins a work file. Its number rises when the layout changes.
const workMagic = "chest features work 1\n"

// workPath is where the work file of path lies.
func workPath(path string) string { return path + ".work" }

// workFile is the features that are done, batch behind batch.
//
//	magic, length of the head (4 bytes), head (JSON), its SHA-256
//	for each batch: first item, items (4 bytes each), features, SHA-256 of
//	the head's SHA-256 and all of these
//
// The head is written in one step. Batches are not: what a kill or a crash left
// of the last one is cut off. Numbers have their lowest byte first.
type workFile struct {
	f   *os.File
	sum [sha256.Size]byte // of the head
	at  int64             // where the next batch goes
	buf []byte
}

// workHead says whose features they are.
type workHead struct {
	Record Record
	Shard  Shard
}

// openWork opens a work file, or begins one, reads what is whole into x and
// returns how many items that is. A work file of other features is an error.
func openWork(path string, r Record, s Shard, x []float32) (w *workFile, done int, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := beginWork(path, workHead{r, s}); err != nil {
			return nil, 0, fmt.Errorf("features: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("features: %w", err)
	}
	w = &workFile{f: f}
	if err := w.readHead(r, s); err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("features: %s: %w; remove it or name another file", path, err)
	}
	done = w.readBatches(x, r.Width)
	if err := f.Truncate(w.at); err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("features: %w", err)
	}
	return w, done, nil
}

// beginWork writes a work file without batches.
func beginWork(path string, h workHead) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return durable.Write(path, func(to io.Writer) error {
		sum := sha256.Sum256(text)
		b := binary.LittleEndian.AppendUint32([]byte(workMagic), uint32(len(text)))
		_, err := to.Write(append(append(b, text...), sum[:]...))
		return err
	})
}

// mostHead is the longest head that is read.
const mostHead = 1 << 20

// readHead checks the head.
func (w *workFile) readHead(r Record, s Shard) error {
	begin := make([]byte, len(workMagic)+4)
	if _, err := w.f.ReadAt(begin, 0); err != nil || string(begin[:len(workMagic)]) != workMagic {
		return fmt.Errorf("it is no work file of this program, which begin with %q", workMagic)
	}
	n := binary.LittleEndian.Uint32(begin[len(workMagic):])
	if n > mostHead {
		return fmt.Errorf("its head has %d bytes: it is damaged", n)
	}
	head := make([]byte, int(n)+sha256.Size)
	if _, err := w.f.ReadAt(head, int64(len(begin))); err != nil {
		return fmt.Errorf("its head ends early: it is damaged")
	}
	w.sum = sha256.Sum256(head[:n])
	var h workHead
	if err := json.Unmarshal(head[:n], &h); err != nil || !bytes.Equal(w.sum[:], head[n:]) {
		return fmt.Errorf("its head is damaged")
	}
	if err := h.Record.differ(r, true); err != nil {
		return err
	}
	if h.Shard != s {
		return fmt.Errorf("it holds shard %v, not %v", h.Shard, s)
	}
	w.at = int64(len(begin) + len(head))
	return nil
}

// readBatches reads whole batches into x, rows of d, up to the first one that is
// damaged or missing, and sets at behind them.
func (w *workFile) readBatches(x []float32, d int) (done int) {
	st, err := w.f.Stat()
	if err != nil {
		return 0
	}
	in := bufio.NewReaderSize(io.NewSectionReader(w.f, w.at, st.Size()-w.at), 1<<16)
	for done*d < len(x) {
		var begin [8]byte
		if _, err := io.ReadFull(in, begin[:]); err != nil {
			break
		}
		first, n := int(binary.LittleEndian.Uint32(begin[:])), int(binary.LittleEndian.Uint32(begin[4:]))
		if first != done || n < 1 || n > len(x)/d-done {
			break
		}
		w.buf = append(grown(w.buf, 8+4*n*d+sha256.Size)[:0], begin[:]...)
		rest := w.buf[8 : 8+4*n*d+sha256.Size]
		if _, err := io.ReadFull(in, rest); err != nil {
			break
		}
		body := w.buf[:8+4*n*d]
		if sum := w.checksum(body); !bytes.Equal(sum[:], rest[4*n*d:]) {
			break
		}
		for i := range n * d {
			x[done*d+i] = math.Float32frombits(binary.LittleEndian.Uint32(body[8+4*i:]))
		}
		done += n
		w.at += int64(len(body) + sha256.Size)
	}
	return done
}

// add adds the batch of features x, whose first item is first.
func (w *workFile) add(first int, x []float32, items int) error {
	b := binary.LittleEndian.AppendUint32(w.buf[:0], uint32(first))
	b = binary.LittleEndian.AppendUint32(b, uint32(items))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	sum := w.checksum(b)
	w.buf = append(b, sum[:]...)
	n, err := w.f.WriteAt(w.buf, w.at)
	w.at += int64(n)
	return err
}

// checksum is that of a batch: of the head's, too, so that batches of another
// work file are none of this one.
func (w *workFile) checksum(body []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(w.sum[:])
	h.Write(body)
	h.Sum(sum[:0])
	return sum
}

func (w *workFile) close() { w.f.Close() }

// grown is b with length n, newly allocated only if b is too small.
func grown(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
