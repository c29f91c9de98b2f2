package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/internal/cpu"
	"github.com/chestlab/chest/internal/sgemm"
)

// benchFlags are the flags that all benchmarks share.
type benchFlags struct {
	threads int
	runs    int
	seconds float64
	json    bool
}

func benchCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure training steps and their parts on this machine",
		Long: `Measure training steps and their parts on this machine. Each benchmark runs
warm, then at least --runs times and for --seconds, and prints the median and
the least time of a run. CHEST_CPU=generic, avx2 or avx512 forces a level of
vector instructions.`,
		Example: `  chest bench step --classes 11318 --proxies 2
  chest bench gemm --m 1024 --n 1024 --k 1024 --threads 1 --json`,
	}
	p := c.PersistentFlags()
	p.IntVar(&f.threads, "threads", 0, "threads (default: one for each processor)")
	p.IntVar(&f.runs, "runs", 5, "least number of runs")
	p.Float64Var(&f.seconds, "seconds", 1, "least time for all runs")
	p.BoolVar(&f.json, "json", false, "print one JSON object on one line")
	c.AddCommand(benchStep(&f), benchGraph(&f), benchGEMM(&f), benchRecall(&f), benchConv(&f), benchViT(&f), benchFeatures(&f))
	return c
}

// size is one of the numbers that say what a benchmark does.
type size struct {
	name  string
	value int
}

// work is a benchmark that is ready to run.
type work struct {
	name  string
	sizes []size
	run   func() error
	flops float64 // of a run, multiplications and additions of matrix products
	items int     // images of a run; 0: it is not about images a second
	more  []quantity
}

// quantity is something else that a benchmark found.
type quantity struct {
	name  string
	value float64
}

// addSizes defines a flag for each size.
func addSizes(c *cobra.Command, sizes []size, help map[string]string) {
	for i := range sizes {
		c.Flags().IntVar(&sizes[i].value, sizes[i].name, sizes[i].value, help[sizes[i].name])
	}
}

// sizesOf returns the sizes by name, an error if one is below 1.
func sizesOf(sizes []size) (map[string]int, error) {
	m := make(map[string]int, len(sizes))
	for _, s := range sizes {
		if s.value < 1 {
			return nil, fmt.Errorf("bench: --%s is %d; want at least 1", s.name, s.value)
		}
		m[s.name] = s.value
	}
	return m, nil
}

// measure runs w and prints what it took.
func (f *benchFlags) measure(ctx context.Context, prepare func() (work, error)) error {
	if err := f.prepare(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	w, err := prepare()
	if err != nil {
		return failed(fmt.Errorf("bench: %w", err))
	}
	times, spent, err := f.times(ctx, w.run)
	if err != nil {
		return failed(fmt.Errorf("bench: %w", err))
	}
	return failed(f.print(os.Stdout, w, times, spent))
}

// prepare checks the flags and sets the threads.
func (f *benchFlags) prepare() error {
	if f.threads < 0 || f.runs < 1 || !(f.seconds >= 0) {
		return fmt.Errorf("bench: --threads %d, --runs %d, --seconds %g: want at least 0, 1 and 0", f.threads, f.runs, f.seconds)
	}
	if f.threads > 0 {
		runtime.GOMAXPROCS(f.threads)
	}
	return nil
}

// times returns the times of the runs, sorted, and the processor time of one.
func (f *benchFlags) times(ctx context.Context, run func() error) (times []time.Duration, spent time.Duration, err error) {
	limit := time.Duration(f.seconds * float64(time.Second))
	begin := time.Now()
	for range 3 { // warm up
		if err := run(); err != nil {
			return nil, 0, err
		}
		if ctx.Err() != nil {
			return nil, 0, fmt.Errorf("interrupted before the first measured run")
		}
		if time.Since(begin) > limit {
			break
		}
	}
	runtime.GC()
	begin = time.Now()
	before := processorTime()
	for (len(times) < f.runs || time.Since(begin) < limit) && ctx.Err() == nil {
		t := time.Now()
		if err := run(); err != nil {
			return nil, 0, err
		}
		times = append(times, time.Since(t))
	}
	if len(times) == 0 {
		return nil, 0, fmt.Errorf("interrupted before the first measured run")
	}
	spent = (processorTime() - before) / time.Duration(len(times))
	slices.Sort(times)
	return times, spent, nil
}

// print writes one line for people or for programs.
func (f *benchFlags) print(out io.Writer, w work, times []time.Duration, spent time.Duration) error {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	median := ms(times[len(times)/2]+times[(len(times)-1)/2]) / 2
	found := append([]quantity{
		{"runs", float64(len(times))}, {"median_ms", median}, {"min_ms", ms(times[0])}, {"cpu_ms", ms(spent)},
		{"gflops", w.flops / median / 1e6}, {"peak_gflops_a_thread", sgemm.Peak(cpu.Active()) / 1e9}, {"peak_mb", peakMemory()},
	}, w.more...)
	if w.items > 0 {
		found = append(found, quantity{"images_a_second", float64(w.items) / median * 1e3})
	}
	sizes := append(slices.Clone(w.sizes), size{"threads", runtime.GOMAXPROCS(0)})
	var b strings.Builder
	if f.json {
		fmt.Fprintf(&b, `{"bench":%q,"cpu":%q`, w.name, cpu.Active())
		for _, s := range sizes {
			fmt.Fprintf(&b, `,%q:%d`, s.name, s.value)
		}
		for _, q := range found {
			v, err := json.Marshal(q.value)
			if err != nil {
				return fmt.Errorf("bench: %s: %w", q.name, err)
			}
			fmt.Fprintf(&b, `,%q:%s`, q.name, v)
		}
		b.WriteString("}\n")
	} else {
		fmt.Fprintf(&b, "%s on %s", w.name, cpu.Active())
		for _, s := range sizes {
			fmt.Fprintf(&b, ", %s %d", s.name, s.value)
		}
		b.WriteByte('\n')
		for _, q := range found {
			fmt.Fprintf(&b, "%20s  %.5g\n", q.name, q.value)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// peakMemory is the largest resident memory of this process in MB so far, 0
// where the system does not tell.
func peakMemory() float64 {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		var kb float64
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}
