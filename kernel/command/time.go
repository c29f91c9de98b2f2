package command

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/chestlab/chest/kernel/eval"
)

// timeOnce runs the code behind %time, or the whole cell below it.
func timeOnce(sh *Shell, ctx context.Context, rest eval.Cell, code string) eval.Result {
	c := rest
	if code != "" {
		c.Code = code
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, begin := cpuTime(), time.Now()
	res := sh.goCode(ctx, c)
	wall := time.Since(begin)
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)
	if res.Err == nil {
		text := "wall " + rounded(wall)
		if cpu > 0 {
			text += ", CPU " + rounded(cpu)
		}
		fmt.Fprintf(sh.out, "%s, %d allocations, %s\n", text, after.Mallocs-before.Mallocs, bytes(after.TotalAlloc-before.TotalAlloc))
	}
	return res
}

const (
	timeitRounds = 7
	timeitRound  = 50 * time.Millisecond // a round is at least as long
)

// timeMany runs code in rounds of many loops, as a function of Go that is
// compiled once.
func timeMany(sh *Shell, ctx context.Context, rest eval.Cell, args string) eval.Result {
	loops, rounds := 0, timeitRounds
	words := strings.Fields(args)
	for len(words) > 1 && (words[0] == "-n" || words[0] == "-r") {
		n, err := strconv.Atoi(words[1])
		if err != nil || n < 1 {
			return failed("%%timeit: %s needs a number of at least 1, not %q", words[0], words[1])
		}
		if words[0] == "-n" {
			loops = n
		} else {
			rounds = n
		}
		args = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(strings.TrimPrefix(args, words[0])), words[1]))
		words = words[2:]
	}
	code := args
	if code == "" {
		code = strings.TrimSpace(rest.Code)
	}
	if code == "" {
		return failed("%%timeit needs code, such as %%timeit f(3)")
	}
	run := func(n int) (time.Duration, *eval.Error) {
		c := eval.Cell{Name: rest.Name, Code: fmt.Sprintf("for i := 0; i < %d; i++ { %s\n}", n, sink(code))}
		begin := time.Now()
		res := sh.session.Run(ctx, c)
		return time.Since(begin), res.Err
	}
	// What a cell of no loops costs is not the code's.
	base, e := run(0)
	if e != nil {
		return eval.Result{Err: e}
	}
	for try := 1; loops == 0; try *= 10 {
		d, e := run(try)
		if e != nil {
			return eval.Result{Err: e}
		}
		if d -= base; d > timeitRound || try >= 1e7 {
			loops = max(1, int(float64(try)*float64(timeitRound)/float64(max(d, 1))))
		}
	}
	var each []float64
	for range rounds {
		d, e := run(loops)
		if e != nil {
			return eval.Result{Err: e}
		}
		each = append(each, max(0, float64(d-base))/float64(loops))
	}
	mean, std, best := spread(each)
	if best <= 0 {
		return failed("%%timeit: %d loops take no longer than a cell without them; leave out -n", loops)
	}
	fmt.Fprintf(sh.out, "%s ± %s a loop, best %s (%d rounds of %d loops)\n", rounded(time.Duration(mean)), rounded(time.Duration(std)), rounded(time.Duration(best)), rounds, loops)
	return eval.Result{}
}

// sink is code whose value nobody takes, as a statement.
func sink(code string) string {
	if strings.ContainsAny(code, "\n;=") || strings.HasSuffix(code, ")") || strings.HasPrefix(code, "for ") || strings.HasPrefix(code, "if ") {
		return code
	}
	return "_ = " + code
}

func spread(x []float64) (mean, std, best float64) {
	best = math.Inf(1)
	for _, v := range x {
		mean += v / float64(len(x))
		best = min(best, v)
	}
	for _, v := range x {
		std += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(std), best
}

// rounded is a duration to three digits.
func rounded(d time.Duration) string {
	for unit := time.Duration(1); unit < time.Hour; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit).String()
		}
	}
	return d.Round(time.Second).String()
}

// bytes is an amount of memory in words.
func bytes(n uint64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
