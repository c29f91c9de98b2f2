package features

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childEnv makes this test binary extract instead of test, for TestKilled.
const childEnv = "CHEST_TEST_FEATURES"

// slowOnes takes long enough to be killed in time.
func slowOnes() *images { s := source(1200); s.slow = 100 * time.Microsecond; return s }

// TestChild is the program that TestKilled kills.
func TestChild(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		return // it is no test by itself
	}
	if err := Extract(context.Background(), network(t, 1), slowOnes(), path, plain); err != nil {
		t.Fatal(err)
	}
}

// TestKilled: a run that is killed at 10 random moments and begun again each time
// ends with the bytes of one that was not.
func TestKilled(t *testing.T) {
	_, want := extract(t, network(t, 1), slowOnes(), plain)
	path := filepath.Join(t.TempDir(), "f.safetensors")
	rng := rand.New(rand.NewPCG(1, 1))
	kills := 0
	for kills < 10 {
		c := exec.Command(os.Args[0], "-test.run=^TestChild$")
		c.Env = append(os.Environ(), childEnv+"="+path)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		for before := size(workPath(path)); size(workPath(path)) <= before && len(ended) == 0; { // it goes on
			time.Sleep(200 * time.Microsecond)
		}
		time.Sleep(time.Duration(rng.IntN(12000)) * time.Microsecond)
		c.Process.Kill()
		if err := <-ended; err == nil {
			break // it was quicker
		}
		kills++
	}
	done := size(workPath(path))
	t.Logf("killed %d times, the work file then has %d bytes", kills, done)
	if _, err := os.Stat(path); kills < 10 || err == nil || done == 0 {
		t.Fatalf("the run was over after %d kills: it is too short for this test", kills)
	}
	src := slowOnes()
	if err := Extract(context.Background(), network(t, 1), src, path, plain); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, path), want) {
		t.Error("another file than that of the run that was not killed")
	}
	if n := int(src.reads.Load()); n == 0 || n >= src.n {
		t.Errorf("the last run read %d of %d items", n, src.n)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("beside the file there are %v", left)
	}
}

// size is that of a file, -1 for none.
func size(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return st.Size()
}

// stopped is a work file with 15 of 23 items, by the network of a seed.
func stopped(t *testing.T, seed uint64) (path string, raw []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "f.safetensors")
	ctx, cancel := context.WithCancel(context.Background())
	o := plain
	o.Progress = after{15, cancel}
	if err := Extract(ctx, network(t, seed), source(23), path, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return path, content(t, workPath(path))
}

// TestDamagedWork: batches of the work file that are damaged are computed again,
// and a head that is damaged is an error.
func TestDamagedWork(t *testing.T) {
	b := network(t, 1)
	_, want := extract(t, b, source(23), plain)
	path, whole := stopped(t, 1)
	_, other := stopped(t, 2)
	each := 8 + 4*5*12 + 32
	head := len(whole) - 3*each
	for _, c := range []struct {
		name string
		do   func(b []byte) []byte
		read int // items
		says string
	}{
		{"whole", func(b []byte) []byte { return b }, 8, ""},
		{"cut off in the last batch", func(b []byte) []byte { return b[:len(b)-1] }, 13, ""},
		{"cut off behind the first item's number", func(b []byte) []byte { return b[:head+4] }, 23, ""},
		{"no batch", func(b []byte) []byte { return b[:head] }, 23, ""},
		{"a bit of the second batch", func(b []byte) []byte { b[head+each+100] ^= 1; return b }, 18, ""},
		{"a bit of a checksum", func(b []byte) []byte { b[head+each-1] ^= 1; return b }, 23, ""},
		{"a batch's number of items", func(b []byte) []byte { b[head+7] = 255; return b }, 23, ""},
		{"zeros at the end", func(b []byte) []byte { return append(b, make([]byte, 1000)...) }, 8, ""},
		{"two batches exchanged", func(b []byte) []byte {
			return append(append(append([]byte(nil), b[:head]...), b[head+each:head+2*each]...), b[head:head+each]...)
		}, 23, ""},
		{"a batch of other weights", func(b []byte) []byte { copy(b[head+each:], other[head+each:head+2*each]); return b }, 18, ""},
		{"a bit of the head", func(b []byte) []byte { b[60] ^= 1; return b }, 0, "head is damaged"},
		{"a head that is cut off", func(b []byte) []byte { return b[:head-40] }, 0, "ends early"},
		{"a head of 4 GB", func(b []byte) []byte { copy(b[len(workMagic):], "\xff\xff\xff\xff"); return b }, 0, "head has 4294967295 bytes"},
		{"another file", func(b []byte) []byte { return []byte("a photograph, perhaps, that nobody wants to lose") }, 0, "no work file of this program"},
		{"nothing", func(b []byte) []byte { return nil }, 0, "no work file"},
	} {
		os.Remove(path)
		damaged := c.do(append([]byte(nil), whole...))
		if err := os.WriteFile(workPath(path), damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		src := source(23)
		err := Extract(context.Background(), b, src, path, plain)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), workPath(path)+": ") {
				t.Errorf("%s: error %v, want %q", c.name, err, c.says)
			}
			if !bytes.Equal(content(t, workPath(path)), damaged) {
				t.Errorf("%s: the file was changed", c.name)
			}
			os.Remove(workPath(path))
			continue
		}
		if err != nil || !bytes.Equal(content(t, path), want) || int(src.reads.Load()) != c.read {
			t.Errorf("%s: error %v, %d items read, want %d; or another file", c.name, err, src.reads.Load(), c.read)
		}
	}
}

// TestKilledAtTheEnd: a work file beside a finished file goes away.
func TestKilledAtTheEnd(t *testing.T) {
	path, work := stopped(t, 1)
	if err := Extract(context.Background(), network(t, 1), source(23), path, plain); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(workPath(path), work, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Extract(context.Background(), network(t, 1), source(23), path, plain); err != nil || size(workPath(path)) != -1 {
		t.Errorf("error %v, work file %d", err, size(workPath(path)))
	}
}
