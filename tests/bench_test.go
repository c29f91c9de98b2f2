package tests

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestBench: each benchmark prints one JSON object on one line, with its sizes
// and times, and a table for people.
func TestBench(t *testing.T) {
	for _, c := range []struct {
		args  []string
		sizes map[string]float64
	}{
		{[]string{"step", "--batch", "8", "--din", "6", "--dim", "4", "--classes", "5", "--proxies", "2", "--triplets", "10"},
			map[string]float64{"batch": 8, "din": 6, "dim": 4, "classes": 5, "proxies": 2, "triplets": 10}},
		{[]string{"graph", "--batch", "8", "--din", "6", "--dim", "4", "--classes", "5", "--proxies", "2", "--triplets", "10"},
			map[string]float64{"batch": 8, "classes": 5}},
		{[]string{"gemm", "--m", "20", "--n", "30", "--k", "40", "--ta", "--tb"}, map[string]float64{"m": 20, "n": 30, "k": 40, "ta": 1, "tb": 1}},
		{[]string{"recall", "--n", "50", "--dim", "4", "--classes", "5"}, map[string]float64{"n": 50, "recall_1000": 1}},
		{[]string{"recall", "--hyperbolic", "--n", "50", "--dim", "4", "--classes", "5"}, map[string]float64{"n": 50, "recall_1000": 1}},
		{[]string{"conv", "--batch", "2", "--image", "8", "--width", "3", "--depth", "2"}, map[string]float64{"batch": 2, "image": 8}},
		{[]string{"vit", "--batch", "1", "--image", "8", "--patch", "4", "--width", "6", "--heads", "2", "--depth", "1"}, map[string]float64{"patch": 4, "heads": 2}},
		{[]string{"features", "--backbone", "vit_s16", "--batch", "1", "--image", "32"}, map[string]float64{"batch": 1, "image": 32}},
		{[]string{"features", "--backbone", "resnet50", "--batch", "1", "--image", "32"}, map[string]float64{"batch": 1, "image": 32}},
	} {
		args := append(append([]string{"bench"}, c.args...), "--threads", "2", "--runs", "2", "--seconds", "0")
		r := chest(t, "", append(args, "--json")...)
		if r.code != 0 || strings.Count(r.stdout, "\n") != 1 {
			t.Errorf("%v: code %d, printed %q %s", c.args, r.code, r.stdout, r.stderr)
			continue
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
			t.Errorf("%v: %v", c.args, err)
			continue
		}
		if got["bench"] != c.args[0] || got["threads"] != 2.0 || got["runs"] != 2.0 {
			t.Errorf("%v: %s", c.args, r.stdout)
		}
		for name, want := range c.sizes {
			if got[name] != want {
				t.Errorf("%v: %s is %v, want %g", c.args, name, got[name], want)
			}
		}
		for _, name := range []string{"median_ms", "min_ms", "cpu_ms", "gflops", "peak_gflops_a_thread", "peak_mb"} {
			if v, ok := got[name].(float64); !ok || v < 0 {
				t.Errorf("%v: %s is %v", c.args, name, got[name])
			}
		}
		if r := chest(t, "", args...); r.code != 0 || !strings.Contains(r.stdout, "median_ms") {
			t.Errorf("%v: for people: code %d, %q", c.args, r.code, r.stdout)
		}
	}
}

// TestBenchRefuses: sizes without meaning are an error that names the flag.
func TestBenchRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"--batch is 0":                {"step", "--batch", "0"},
		"--threads -1":                {"gemm", "--threads", "-1"},
		"set Patch to a divisor":      {"vit", "--image", "30"},
		"there is no network":         {"features", "--backbone", "vgg"},
		"at most 3":                   {"conv", "--image", "8", "--depth", "9"},
		"CHEST_CPU=sse is not known":  nil,
		"has no command \"nonsense\"": {"nonsense"},
	} {
		if args == nil {
			t.Setenv("CHEST_CPU", "sse")
			args = []string{"gemm"}
		} else {
			t.Setenv("CHEST_CPU", "")
		}
		if r := chest(t, "", append([]string{"bench"}, args...)...); r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: code %d, %q, want %q", args, r.code, r.stderr, want)
		}
	}
}
