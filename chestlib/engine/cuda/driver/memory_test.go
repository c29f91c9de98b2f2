package driver_test

import (
	"errors"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// TestMemory: classes, the cache, and a full device.
func TestMemory(t *testing.T) {
	d := open(t, "megabytes=64")
	err := d.Do(func() error {
		a, err := d.Alloc(40 << 20)
		if err != nil {
			return err
		}
		d.Free(a)
		if u := d.Usage(); u.Live != 0 || u.Cached != 40<<20 || u.Peak != 40<<20 {
			t.Errorf("after Free: %+v", u)
		}
		again, err := d.Alloc(39<<20 + 1)
		if err != nil {
			return err
		}
		if again.Address != a.Address {
			t.Error("memory of one class is not used again")
		}
		d.Free(again)
		b, err := d.Alloc(30 << 20) // fits only when what is kept is freed
		if err != nil {
			return err
		}
		_, err = d.Alloc(50 << 20)
		says(t, err, "out of memory", "50 MB needed", "of 64 MB free")
		d.Free(b)
		if none, err := d.Alloc(0); err != nil || none.Address != 0 {
			t.Errorf("no bytes are %v, %v", none, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error("second Close: ", err)
	}
	counts, err := fakecuda.Count(fake)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Live != 0 || counts.Pieces != 0 {
		t.Errorf("left after Close: %+v", counts)
	}
	if err := d.Do(func() error { return nil }); err == nil {
		t.Error("Do after Close works")
	}
}

// TestCopies: what is uploaded comes back, also when staging memory overflows.
func TestCopies(t *testing.T) {
	d := open(t, "")
	const n = 5000000
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	err := d.Do(func() error {
		m, err := d.Alloc(4 * n)
		if err != nil {
			return err
		}
		defer d.Free(m)
		other, err := d.Alloc(4 * n)
		if err != nil {
			return err
		}
		defer d.Free(other)
		return errors.Join(d.UploadFloats(m, x), d.Clear(m.At(4), 8), d.Copy(other, m, 4*n), d.DownloadFloats(y[:n/2], other),
			d.DownloadFloats(y[n/2:], other.At(4*(n/2))), d.Finish())
	})
	if err != nil {
		t.Fatal(err)
	}
	x[1], x[2] = 0, 0
	for i := range x {
		if x[i] != y[i] {
			t.Fatalf("entry %d is %g, want %g", i, y[i], x[i])
		}
	}
	if c := d.Counters(); c.Uploads != 3 || c.Downloads != 4 || c.UpBytes != 4*n {
		t.Errorf("%+v", c)
	}
}

// TestOverrun: the fake driver finds a write past the end.
func TestOverrun(t *testing.T) {
	s := system(t, "")
	inner := s.Getenv
	s.Getenv = func(name string) string {
		if name == "CHEST_CUDA_EXACT" {
			return "1"
		}
		return inner(name)
	}
	d, err := s.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	set, err := kernels.Load(d)
	if err != nil {
		t.Fatal(err)
	}
	err = d.Do(func() error {
		m, err := d.Alloc(64)
		if err != nil {
			return err
		}
		return set.Fill(m, 17, 1)
	})
	says(t, err, "memory that is not its own")
}
