// Command benchkernel measures what a user feels of a kernel, for chest and for
// each peer that is installed, in one run: the kernels take turns, so that a
// busy machine slows all of them. Run by: make bench-kernel
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
	"strings"
	"text/tabwriter"
	"time"
)

// language is the cells of a measurement in one language.
type language struct {
	trivial, declare, std, numeric, lines, late string
	keep, kept                                  string // a state, and the cell whose value shows it
	loops                                       []loop
	complete, inspect                           string
	value                                       string // of trivial
}

// loop is a cell that only an interrupt ends.
type loop struct{ name, code string }

var languages = map[string]language{
	"go": {
		trivial: "1+1", value: "2", declare: "x := 1", std: "import (\"fmt\"; \"math\"; \"time\")\n_ = math.Pi; _ = time.Now()", numeric: "import \"gonum.org/v1/gonum/mat\"\nmat.NewDense(1, 1, nil).At(0, 0)",
		lines: "for i := 0; i < 10000; i++ { fmt.Println(\"line\", i) }", late: "import \"time\"\nfmt.Println(1)\ntime.Sleep(time.Second)",
		keep: "k := 41", kept: "k + 1",
		loops:    []loop{{"spin", "for {}"}, {"sleep", "import \"time\"\ntime.Sleep(time.Minute)"}, {"wait", "<-make(chan int)"}, {"print", "for { fmt.Print(\"x\") }"}},
		complete: "fmt.Print", inspect: "fmt.Println",
	},
	"python": {
		trivial: "1+1", value: "2", declare: "x = 1", std: "import math, sys, time", numeric: "import numpy",
		lines: "for i in range(10000): print('line', i)", late: "import time\nprint(1)\ntime.sleep(1)",
		keep: "k = 41", kept: "k + 1",
		loops:    []loop{{"spin", "while True: pass"}, {"sleep", "import time\ntime.sleep(60)"}, {"wait", "import queue\nqueue.Queue().get()"}, {"print", "while True: print('x', end='')"}},
		complete: "import os\nos.pat", inspect: "print",
	},
}

// peer is a kernel to measure.
type peer struct {
	name string
	argv []string
	lang language
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench-kernel: ")
	binary := flag.String("chest", "bin/chest", "the program to measure")
	passes := flag.Int("passes", 2, "how often each kernel is measured")
	cells := flag.Int("cells", 200, "warm cells a pass")
	asJSON := flag.Bool("json", false, "print one line of JSON")
	only := flag.Bool("alone", false, "measure chest alone")
	flag.Parse()
	peers := []peer{{"chest", []string{*binary, "kernel", "{connection_file}"}, languages["go"]}}
	if !*only {
		peers = append(peers, installed()...)
	}
	rows := map[string]map[string][]float64{}
	for pass := range *passes {
		for _, p := range peers {
			log.Printf("pass %d of %d: %s", pass+1, *passes, p.name)
			got, err := measure(p, *cells)
			if err != nil {
				log.Printf("%s: %v", p.name, err)
			}
			for name, v := range got {
				if rows[name] == nil {
					rows[name] = map[string][]float64{}
				}
				rows[name][p.name] = append(rows[name][p.name], v...)
			}
		}
	}
	if *asJSON {
		printJSON(rows)
		return
	}
	printTable(peers, rows)
}

// installed lists the peers that Jupyter knows on this machine.
func installed() (list []peer) {
	var dirs []string
	for _, d := range strings.Split(os.Getenv("JUPYTER_PATH"), string(os.PathListSeparator)) {
		if d != "" {
			dirs = append(dirs, filepath.Join(d, "kernels"))
		}
	}
	dirs = append(dirs, "/usr/share/jupyter/kernels", "/usr/local/share/jupyter/kernels")
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".local/share/jupyter/kernels"))
	}
	seen := map[string]bool{"chest": true}
	for _, d := range dirs {
		specs, _ := filepath.Glob(filepath.Join(d, "*", "kernel.json"))
		for _, file := range specs {
			name := filepath.Base(filepath.Dir(file))
			var spec struct {
				Argv     []string `json:"argv"`
				Language string   `json:"language"`
			}
			b, err := os.ReadFile(file)
			if err != nil || json.Unmarshal(b, &spec) != nil || len(spec.Argv) == 0 || seen[name] {
				continue
			}
			lang, known := languages[spec.Language]
			if _, err := exec.LookPath(spec.Argv[0]); err != nil || !known {
				continue
			}
			seen[name] = true
			if name == "python3" {
				name = "ipykernel"
			}
			list = append(list, peer{name, spec.Argv, lang})
		}
	}
	return list
}

// order is the rows of the table, with their units.
var order = []struct{ name, unit string }{
	{"start to kernel_info", "ms"}, {"start to first cell done", "ms"}, {"warm 1+1, median", "ms"}, {"warm 1+1, p95", "ms"},
	{"cell that declares", "ms"}, {"import std", "ms"}, {"import gonum/mat or numpy", "ms"},
	{"10,000 lines", "ms"}, {"messages of 10,000 lines", ""}, {"first output of a running cell", "ms"},
	{"completion, median", "ms"}, {"completion while a cell runs", "ms"}, {"inspection, median", "ms"},
	{"interrupt spin", "ms"}, {"interrupt sleep", "ms"}, {"interrupt wait", "ms"}, {"interrupt print", "ms"},
	{"memory at start", "MiB"}, {"memory after 400 cells", "MiB"}, {"shutdown", "ms"},
}

// printTable prints medians, and the ratio of chest to each peer.
func printTable(peers []peer, rows map[string]map[string][]float64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\t")
	for _, p := range peers {
		fmt.Fprintf(w, "%s\t", p.name)
	}
	for _, p := range peers[1:] {
		fmt.Fprintf(w, "÷ %s\t", p.name)
	}
	fmt.Fprintln(w)
	for _, row := range order {
		fmt.Fprintf(w, "%s %s\t", row.name, row.unit)
		own := median(rows[row.name]["chest"])
		for _, p := range peers {
			if v := rows[row.name][p.name]; len(v) > 0 {
				fmt.Fprintf(w, "%.4g\t", median(v))
			} else {
				fmt.Fprint(w, "never\t")
			}
		}
		for _, p := range peers[1:] {
			if v := rows[row.name][p.name]; len(v) > 0 && own > 0 && median(v) > 0 {
				fmt.Fprintf(w, "%.2f\t", own/median(v))
			} else {
				fmt.Fprint(w, "\t")
			}
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

func printJSON(rows map[string]map[string][]float64) {
	out := map[string]map[string]float64{}
	for row, of := range rows {
		out[row] = map[string]float64{}
		for name, v := range of {
			out[row][name] = median(v)
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(b))
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
