package driver_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// fake is the path of the fake driver; "" if it could not be built.
var fake string

func TestMain(m *testing.M) {
	var err error
	if fake, err = fakecuda.Path(kernels.Sources); err != nil && !errors.Is(err, fakecuda.ErrNoCompiler) {
		fmt.Println("FAIL:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// system is this machine with the fake driver, set up as settings say.
func system(t *testing.T, settings string) driver.System {
	t.Helper()
	if fake == "" {
		if os.Getenv("CHEST_FULL") == "1" {
			t.Fatal("CHEST_FULL=1: ", fakecuda.ErrNoCompiler)
		}
		t.Skip("SKIPPED: ", fakecuda.ErrNoCompiler)
	}
	if err := fakecuda.Reset(fake, settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fakecuda.Reset(fake, ""); err != nil {
			t.Error(err)
		}
	})
	return driver.System{Root: t.TempDir(), Getenv: env(map[string]string{"CHEST_CUDA_DRIVER": fake})}
}

func env(m map[string]string) func(string) string { return func(name string) string { return m[name] } }

func open(t *testing.T, settings string) *driver.Device {
	t.Helper()
	d, err := system(t, settings).Open(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// TestFailures: each way of having no GPU has its sentence and remedy.
func TestFailures(t *testing.T) {
	for _, c := range []struct{ settings, sentence, remedy string }{
		{"cuInit:1:100", "The driver sees no GPU.", "--gpus all"},
		{"devices=0", "The driver sees no GPU.", "CUDA_VISIBLE_DEVICES=, device files: none"},
		{"cuInit:1:803", "different versions", "module not loaded"},
		{"cuInit:1:802", "links between the GPUs", "nvidia-fabricmanager"},
		{"cuInit:1:34", "a stub for linking", "path of libraries"},
		{"cuInit:1:999", "does not say what is wrong", "nvidia-uvm"},
		{"cuInit:1:46", "exclusive mode", "nvidia-smi"},
		{"cuDevicePrimaryCtxRetain:1:46", "exclusive mode", "nvidia-smi"},
		{"cuDevicePrimaryCtxRetain:1:2", "out of memory", "smaller batch"},
		{"cuStreamCreate:1:700", "memory that is not its own", "checkpoint"},
		{"cuDeviceGetCount:1:77", "cuDeviceGetCount failed.", "error 77"},
	} {
		t.Run(c.settings, func(t *testing.T) {
			_, err := system(t, c.settings).Open(0)
			says(t, err, c.sentence, c.remedy)
		})
	}
	_, err := system(t, "").Open(1)
	says(t, err, "no GPU of this number", "cuda:1 of 1")
}

// says fails unless err is a *driver.Error with these words.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	var e *driver.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want a driver.Error", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// TestNoDriver: nothing there, something that is no library, a library that is
// no driver, a stub.
func TestNoDriver(t *testing.T) {
	root := t.TempDir()
	none := driver.System{Root: root, Getenv: env(nil)}
	_, err := none.Open(0)
	if runtime.GOOS != "linux" {
		says(t, err, "no GPU support")
		return
	}
	says(t, err, "No NVIDIA driver found.", "CHEST_CUDA_DRIVER")

	dir := filepath.Join(root, "usr/local/nvidia/lib64")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "libcuda.so.1")
	if err := os.WriteFile(path, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = none.Open(0)
	says(t, err, "No NVIDIA driver found.", "dlopen "+path)

	if fake == "" {
		t.Skip("SKIPPED: ", fakecuda.ErrNoCompiler)
	}
	source := filepath.Join(root, "old.cpp")
	if err := os.WriteFile(source, []byte(`extern "C" int cuInit(unsigned) { return 0; }`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("g++", "-shared", "-fPIC", "-o", path, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, err = none.Open(0)
	says(t, err, "too old", "450", "it has no cuDriverGetVersion")
}

// TestFound: the driver is found in a container's place below the root, and
// the version of the kernel module is read.
func TestFound(t *testing.T) {
	s := system(t, "cuInit:1:803")
	s.Getenv = env(nil)
	dir := filepath.Join(s.Root, "usr/lib/x86_64-linux-gnu/nvidia/current")
	proc := filepath.Join(s.Root, "proc/driver/nvidia")
	for _, d := range []string{dir, proc} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(fake, filepath.Join(dir, "libcuda.so.1")); err != nil {
		t.Fatal(err)
	}
	version := "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025\nGCC version: 12.2.0\n"
	if err := os.WriteFile(filepath.Join(proc, "version"), []byte(version), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Open(0)
	says(t, err, "different versions", "module 580.95.05")
	if err := fakecuda.Reset(fake, ""); err != nil {
		t.Fatal(err)
	}
	d, err := s.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := d.Info().String(); got != "Fake GPU 0, sm_90, 4 SMs, 1.0 GiB" {
		t.Error(got)
	}
	if got := d.Info().Driver.String(); got != "13.0" {
		t.Error(got)
	}
}

// TestModule: images that the driver refuses say why.
func TestModule(t *testing.T) {
	for _, c := range []struct{ settings, ptx, says string }{
		{"version=10020", kernels.PTX, "too old for the kernels"},
		{"capability=75", kernels.PTX, "do not run on this GPU"},
		{"cuModuleLoadDataEx:1:221", kernels.PTX, "libnvidia-ptxjitcompiler"},
		{"", "\n.version 7.0\n.target sm_80\n.extern .func expf\n", "unresolved extern"},
		{"", strings.Replace(kernels.PTX, "	.param .u64 fill_param_0,\n", "", 1), "fill"},
		{"", kernels.PTX + "\n.visible .entry other()\n{\n}\n", "other"},
	} {
		d := open(t, c.settings)
		err := d.Do(func() error { _, err := d.Load(c.ptx); return err })
		says(t, err, c.says)
	}
}

// TestLost: after an error that loses the context nothing runs any more.
func TestLost(t *testing.T) {
	d := open(t, "cuMemsetD32Async:2:719")
	clear := func() error {
		m, err := d.Alloc(16)
		if err != nil {
			return err
		}
		return d.Clear(m, 16)
	}
	if err := d.Do(clear); err != nil {
		t.Fatal(err)
	}
	says(t, d.Do(clear), "context is lost")
	ran := false
	says(t, d.Do(func() error { ran = true; return nil }), "context is lost")
	if ran {
		t.Error("Do ran on a lost device")
	}
	says(t, d.Close(), "context is lost")
}

// TestLaunch: arguments that do not fit panic, pointers to nothing fail.
func TestLaunch(t *testing.T) {
	d := open(t, "")
	s, err := kernels.Load(d)
	if err != nil {
		t.Fatal(err)
	}
	fill := s.Module().Kernel("fill")
	for _, args := range [][]any{{driver.Memory{}, int64(0)}, {driver.Memory{}, 0, float32(1)}, {driver.Memory{}, int64(0), 1.0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("arguments %v do not panic", args)
				}
			}()
			_ = d.Do(func() error { return d.Launch(fill, driver.Grid{X: 1, Y: 1, Z: 1}, 256, args...) })
		}()
	}
	err = d.Do(func() error {
		return d.Launch(fill, driver.Grid{X: 1, Y: 1, Z: 1}, 512, driver.Memory{}, int64(0), float32(1))
	})
	says(t, err, "fill", "error 1")
	err = d.Do(func() error { return s.Fill(driver.Memory{Address: 4096, Bytes: 64}, 16, 1) })
	says(t, err, "memory that is not its own")
}

// TestGraph: captured work runs when it is replayed, as often as that is.
func TestGraph(t *testing.T) {
	d := open(t, "")
	s, err := kernels.Load(d)
	if err != nil {
		t.Fatal(err)
	}
	var got [1]int32
	err = d.Do(func() error {
		now, err := d.Alloc(4)
		if err != nil {
			return err
		}
		if err := d.Clear(now, 4); err != nil {
			return err
		}
		g, err := d.Capture(func() error { return errors.Join(s.Advance(now), s.Advance(now)) })
		if err != nil {
			return err
		}
		for range 3 {
			if err := d.Replay(g); err != nil {
				return err
			}
		}
		return errors.Join(d.DownloadInts(got[:], now), d.Finish(), d.FreeGraph(g))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got[0] != 6 {
		t.Errorf("counter is %d after three graphs of two, want 6", got[0])
	}
	d = open(t, "cuGraphInstantiateWithFlags:1:801")
	says(t, d.Do(func() error { _, err := d.Capture(func() error { return nil }); return err }), "error 801")
}

// TestEvents: an event behind work is reached, and there is a time between two.
func TestEvents(t *testing.T) {
	d := open(t, "")
	err := d.Do(func() error {
		a, err := d.Mark()
		if err != nil {
			return err
		}
		b, err := d.Mark()
		if err != nil {
			return err
		}
		ms, err := d.Between(a, b)
		if err != nil {
			return err
		}
		if reached, err := d.Reached(b); err != nil || !reached || !(ms >= 0) || math.IsInf(ms, 0) {
			t.Errorf("reached %v, %v after %g ms", reached, err, ms)
		}
		return errors.Join(d.FreeEvent(a), d.FreeEvent(b))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestGoroutines: many goroutines on many threads share the device.
func TestGoroutines(t *testing.T) {
	d := open(t, "")
	s, err := kernels.Load(d)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for g := range 30 {
		group.Go(func() {
			for i := range 20 {
				x := make([]float32, 33)
				err := d.Do(func() error {
					m, err := d.Alloc(4 * len(x))
					if err != nil {
						return err
					}
					defer d.Free(m)
					return errors.Join(s.Fill(m, len(x), float32(g*100+i)), d.DownloadFloats(x, m), d.Finish())
				})
				if err != nil || x[32] != float32(g*100+i) {
					t.Errorf("goroutine %d: %g, %v", g, x[32], err)
					return
				}
				if i == 10 {
					runtime.GC()
				}
			}
		})
	}
	group.Wait()
}

func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		in, out string
		p       driver.Policy
	}{
		{"", "auto", driver.Policy{GPU: true, CPU: true}},
		{"auto", "auto", driver.Policy{GPU: true, CPU: true}},
		{"cpu", "cpu", driver.Policy{CPU: true}},
		{"cuda", "cuda:0", driver.Policy{GPU: true}},
		{"cuda:3", "cuda:3", driver.Policy{GPU: true, Ordinal: 3}},
	} {
		p, err := driver.ParsePolicy(c.in)
		if err != nil || p != c.p || p.String() != c.out {
			t.Errorf("%q: %+v = %v, %v; want %+v = %v", c.in, p, p, err, c.p, c.out)
		}
	}
	for _, bad := range []string{"gpu", "cuda:", "cuda:-1", "cuda:x", "CPU"} {
		if _, err := driver.ParsePolicy(bad); err == nil || !strings.Contains(err.Error(), "want auto, cpu, cuda or cuda:n") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestHung: a device that does not come back is lost, and nothing waits for it
// again.
func TestHung(t *testing.T) {
	s := system(t, "")
	inner := s.Getenv
	limit := "0.05"
	s.Getenv = func(name string) string {
		if name == "CHEST_CUDA_TIMEOUT" {
			return limit
		}
		return inner(name)
	}
	d, err := s.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := fakecuda.Set(fake, "cuStreamSynchronize:1:-10"); err != nil {
		t.Fatal(err)
	}
	says(t, d.Do(d.Wait), "The GPU does not answer.", "new process", "nothing for 50ms")
	says(t, d.Do(func() error { t.Error("Do ran on a hung device"); return nil }), "does not answer")
	says(t, d.Close(), "does not answer")
	limit = "soon"
	if _, err := s.Open(0); err == nil || !strings.Contains(err.Error(), `CHEST_CUDA_TIMEOUT is "soon"`) {
		t.Error(err)
	}
}
