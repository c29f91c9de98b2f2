// Command bench runs chest's benchmarks and the same work in PyTorch and
// OpenBLAS in turns, and prints both medians and their ratio, all of one run.
// What is not installed is left out, and said so.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// pair is one piece of work and who else does it.
type pair struct {
	name   string
	chest  []string // chest bench …
	script string   // of tests/bench
	other  []string // its arguments
}

var (
	chest   = flag.String("chest", "bin/chest", "the chest binary")
	slow    = flag.Bool("slow", true, "also what takes minutes: retrieval of 60,502 items")
	python  = flag.String("python", "/usr/bin/python3", "a Python that has torch")
	rounds  = flag.Int("rounds", 3, "how often each side runs")
	seconds = flag.Float64("seconds", 1, "time of each side in a round")
	only    = flag.String("only", "", "run the pairs whose name contains this")
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	flag.Parse()
	if _, err := os.Stat(*chest); err != nil {
		log.Fatalf("%s is not there; run: make build", *chest)
	}
	fmt.Printf("%-40s %7s %10s %10s %7s %9s %9s %7s %7s %7s\n", "", "threads", "chest ms", "other ms", "faster", "chest MB", "other MB", "memory", "of peak", "2 by 1")
	defer os.Remove(items)
	defer os.Remove(items + ".labels")
	failed := false
	for _, p := range pairs() {
		if !strings.Contains(p.name, *only) || !*slow && strings.Contains(p.name, "60502") {
			continue
		}
		if err := compare(p); err != nil {
			log.Printf("%s: %v", p.name, err)
			failed = true
		}
	}
	if failed {
		log.Println("some comparisons are missing, see above")
	}
}

// items is a file of embeddings that both sides of a retrieval read.
var items = filepath.Join(os.TempDir(), fmt.Sprintf("chest-bench-%d.f32", os.Getpid()))

// pairs are all comparisons.
func pairs() []pair {
	var all []pair
	same := func(name, bench string, args ...string) {
		all = append(all, pair{name, append([]string{bench}, args...), bench + ".py", args})
	}
	for _, dim := range []string{"128", "512"} {
		same("step, 100 classes of 10, D "+dim, "step", "--dim", dim, "--classes", "100", "--proxies", "10")
		same("step, 11,318 classes of 2, D "+dim, "step", "--dim", dim, "--classes", "11318", "--proxies", "2")
	}
	gemm := func(m, n, k string, flags ...string) {
		args := append([]string{"--m", m, "--n", n, "--k", k}, flags...)
		name := fmt.Sprintf("product %s×%s×%s", m, k, n)
		if len(flags) > 0 {
			name += " " + strings.Join(flags, " ")
		}
		all = append(all, pair{name, append([]string{"gemm"}, args...), "openblas.py", args})
	}
	gemm("1024", "1024", "1024")
	gemm("256", "22636", "128", "--tb")
	gemm("22636", "128", "256", "--ta")
	gemm("256", "128", "22636")
	same("ConvNet-4, 64 images of 3×84×84", "conv", "--batch", "64", "--image", "84")
	same("ViT-S/16, 4 images of 3×224×224", "vit", "--batch", "4", "--runs", "3")
	same("features of 8 images by ViT-S/16", "features", "--backbone", "vit_s16", "--batch", "8", "--runs", "3")
	same("features of 8 images by ResNet-50", "features", "--backbone", "resnet50", "--batch", "8", "--runs", "3")
	for _, n := range []string{"10000", "60502"} {
		classes := map[string]string{"10000": "1000", "60502": "11316"}[n]
		args := []string{"--n", n, "--dim", "512", "--classes", classes, "--runs", "1"}
		all = append(all, pair{"retrieval of " + n + "×512", append([]string{"recall", "--write", items}, args...), "recall.py", append([]string{"--data", items}, args...)})
	}
	return all
}

// result is what both sides print, one JSON object on a line.
type result struct {
	Median float64 `json:"median_ms"`
	Peak   float64 `json:"peak_mb"`
	Speed  float64 `json:"gflops"`
	Limit  float64 `json:"peak_gflops_a_thread"` // of chest alone; 0: unknown
	Kernel string  `json:"kernel"`               // of OpenBLAS
}

// compare runs both sides of a pair in turns, with one thread and with two, and
// prints a line for each: the medians, how much faster and smaller chest is, its
// share of the processor's peak of multiply-adds, and its gain by two threads.
func compare(p pair) error {
	var alone float64
	for _, threads := range []int{1, 2} {
		a, b, err := turns(p, threads)
		if err != nil {
			return err
		}
		fmt.Printf("%-40s %7d %10.2f %10.2f %7.2f %9.0f %9.0f %7.2f", p.name, threads, a.Median, b.Median, b.Median/a.Median, a.Peak, b.Peak, a.Peak/b.Peak)
		if a.Limit > 0 {
			fmt.Printf(" %6.0f%%", 100*a.Speed/a.Limit/float64(threads))
		} else {
			fmt.Printf(" %7s", "?")
		}
		if threads == 1 {
			alone = a.Median
			fmt.Printf(" %7s  %s\n", "", b.Kernel)
		} else {
			fmt.Printf(" %7.2f  %s\n", alone/a.Median, b.Kernel)
		}
	}
	return nil
}

// turns runs both sides and returns their medians.
func turns(p pair, threads int) (chests, others result, err error) {
	here := filepath.Join("tests", "bench", p.script)
	common := []string{"--threads", strconv.Itoa(threads), "--seconds", fmt.Sprint(*seconds)}
	n := *rounds
	if strings.Contains(p.name, "60502") {
		n = 1 // minutes a turn
	}
	var a, b []result
	for range n {
		r, err := run(*chest, append(append(append([]string{"bench"}, p.chest...), common...), "--json"))
		if err != nil {
			return r, r, err
		}
		a = append(a, r)
		if r, err = run(*python, append(append([]string{here}, p.other...), common...)); err != nil {
			return r, r, err
		}
		b = append(b, r)
	}
	return middle(a), middle(b), nil
}

// run runs a command and reads the JSON line that it prints. OpenBLAS chooses
// its kernels by itself, whatever the environment says.
func run(name string, args []string) (r result, err error) {
	c := exec.Command(name, args...)
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "OPENBLAS_") })
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return r, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("%s printed %.60q: %w", name, out, err)
	}
	return r, nil
}

// middle is the median of each figure.
func middle(rs []result) result {
	of := func(f func(result) float64) float64 {
		var v []float64
		for _, r := range rs {
			v = append(v, f(r))
		}
		slices.Sort(v)
		return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
	}
	return result{
		Median: of(func(r result) float64 { return r.Median }), Peak: of(func(r result) float64 { return r.Peak }),
		Speed: of(func(r result) float64 { return r.Speed }), Limit: of(func(r result) float64 { return r.Limit }), Kernel: rs[0].Kernel,
	}
}
