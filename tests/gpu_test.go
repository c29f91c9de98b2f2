package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chestlab/chest/chestlib/engine/cuda/fakecuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/kernels"
)

// TestGPUProgram runs the program for machines with a GPU on the fake driver, in
// a small size: so that it works when there is a GPU.
func TestGPUProgram(t *testing.T) {
	fake := fakecuda.Needed(t, kernels.Sources)
	program := filepath.Join(t.TempDir(), "gpu")
	if out, err := exec.Command("go", "build", "-o", program, "./gpu").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for command, says := range map[string]string{
		"check":   " 0 failed",
		"kernels": "adamw of the proxies",
		"fit":     "trunk mlp, loss alone: weights differ",
		"step":    "RESULT chest heads on features on the device, cuBLAS 13.0.2, TF32",
	} {
		cmd := exec.Command(program, command)
		cmd.Env = append(os.Environ(), "CHEST_GPU_SMALL=1", "CHEST_CUDA_DRIVER="+fake, "CHEST_CUBLAS="+fake)
		if r := runCommand(t, cmd, ""); r.code != 0 || !strings.Contains(r.stdout, says) {
			t.Errorf("gpu %s: exit %d\n%s%s", command, r.code, r.stdout, r.stderr)
		}
	}
}

// choices trains an epoch by each policy, from a cell, and dispatches another.
const choices = `split, err := datasets.Blazons(datasets.BlazonsOptions{Orders: 2, Families: 2, Species: 2})
chestlib.Check(err)
m, err := chestlib.NewModel(split.Train, chestlib.ModelOptions{Trunk: "mlp", Width: 16, Depth: 1, DE: 8, DH: 8})
chestlib.Check(err)
tr, err := chestlib.NewTrainer(m, split.Train, chestlib.TrainOptions{Epochs: 4, Classes: 4, Silent: true, OnWarn: func(s string) { fmt.Println("warning:", s) }})
chestlib.Check(err)
_, err = tr.Epoch(display.Context(), chestlib.On("auto"))
fmt.Println("auto:", err, tr.EpochsDone())
_, err = tr.Epoch(display.Context(), chestlib.On("cuda"))
fmt.Println("cuda:", err, tr.EpochsDone())
job := tr.Dispatch(display.Context(), 1, chestlib.On("auto"))
_, err = tr.Epoch(display.Context())
fmt.Println("meanwhile:", err)
epochs, err := job.Wait()
fmt.Println("job:", len(epochs), err, tr.EpochsDone())
`

// TestCellsChooseTheProcessor: without a driver, auto says so in a sentence and
// trains on the processor, and cuda is an error that trains nothing; with the fake
// driver both train on it. A job refuses other training meanwhile.
func TestCellsChooseTheProcessor(t *testing.T) {
	run := func(driver string) string {
		cmd := exec.Command(buildChest(t), "exec", "-")
		cmd.Env = append(os.Environ(), "CHEST_CUDA_DRIVER="+driver)
		r := runCommand(t, cmd, choices)
		if r.code != 0 {
			t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		return r.stdout
	}
	expect := func(got string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%q is missing in\n%s", w, got)
			}
		}
	}
	got := run("/nowhere/libcuda.so.1")
	expect(got, "warning: training on the processor: cuda: ", "auto: <nil> 1\n", `cuda: train: On("cuda"): `, `On("auto") would go on without it`, "meanwhile: train: Epoch: a job of Dispatch trains this model", "job: 2 <nil> 2\n")
	if strings.Contains(got, "cuda: <nil>") {
		t.Errorf("trained on a GPU that is not there:\n%s", got)
	}
	fake := fakecuda.Needed(t, kernels.Sources)
	got = run(fake)
	expect(got, "auto: <nil> 1\n", "cuda: <nil> 2\n", "job: 3 <nil> 3\n")
	if strings.Contains(got, "warning: training on the processor") {
		t.Errorf("the fake driver was not taken:\n%s", got)
	}
}
