// Command peers runs one notebook of plain cells under chest, gophernotes and
// ipykernel and prints their times side by side. The Go kernels run the same
// file; ipykernel runs one that says the same in Python. Run by: make peers
package main

import (
	"context"
	"errors"
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

	"github.com/chestlab/chest/kernel/notebook"
)

type peer struct {
	name, file string
	command    []string
	times      []time.Duration
	failed     []string // cells, with their errors
	ran        int
	dead       bool // it could not run the notebook at all
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("peers: ")
	dir := flag.String("dir", "tests/peers", "where the notebooks are")
	chest := flag.String("chest", "bin/chest", "the program to measure")
	gophernotes := flag.String("gophernotes", "bin/gophernotes", "gophernotes, if it is there")
	passes := flag.Int("passes", 3, "how often each kernel runs its notebook")
	flag.Parse()
	peers := []*peer{{name: "chest", file: "plain_go.ipynb", command: []string{*chest, "kernel"}}}
	if _, err := os.Stat(*gophernotes); err == nil {
		// Its interpreter ends at once where types have aliases as Go has them now.
		command := []string{"env", "GODEBUG=gotypesalias=0", *gophernotes}
		peers = append(peers, &peer{name: "gophernotes", file: "plain_go.ipynb", command: command})
	} else {
		log.Printf("gophernotes is not there, so it is left out: %v", err)
	}
	if python := withModule("ipykernel_launcher"); python != "" {
		peers = append(peers, &peer{name: "ipykernel", file: "plain_python.ipynb", command: []string{python, "-m", "ipykernel_launcher", "-f"}})
	} else {
		log.Print("ipykernel is not there, so it is left out (Debian: apt-get install python3-ipykernel)")
	}
	for range *passes {
		for _, p := range peers {
			if p.dead {
				continue
			}
			if err := p.run(*dir); err != nil {
				log.Printf("%s: %v", p.name, err)
				p.dead = true
			}
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tcells that ran\tstart to end, median\t÷ chest\t")
	for _, p := range peers {
		if len(p.times) == 0 {
			fmt.Fprintf(w, "%s\tnone\tnever\t\t\n", p.name)
			continue
		}
		fmt.Fprintf(w, "%s\t%d of %d\t%.0f ms\t%.2f\t\n", p.name, p.ran-len(p.failed), p.ran, 1000*median(p.times).Seconds(), median(p.times).Seconds()/median(peers[0].times).Seconds())
	}
	w.Flush()
	for _, p := range peers {
		for _, f := range p.failed {
			fmt.Printf("%s: %s\n", p.name, f)
		}
	}
	if len(peers[0].failed) > 0 {
		os.Exit(1)
	}
}

// run runs the notebook once, from the start of the kernel to its end.
func (p *peer) run(dir string) error {
	nb, err := notebook.Read(filepath.Join(dir, p.file))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	begin := time.Now()
	err = notebook.Run(ctx, nb, notebook.RunOptions{Command: p.command, KeepGoing: true})
	var cell *notebook.CellError
	if err != nil && !errors.As(err, &cell) {
		return err
	}
	p.times = append(p.times, time.Since(begin))
	p.failed, p.ran = nil, 0
	for i, c := range nb.Cells {
		p.ran++
		for _, o := range c.Outputs {
			if o.Kind == notebook.ErrorOutput {
				p.failed = append(p.failed, fmt.Sprintf("cell %d: %s: %s", i+1, o.EName, strings.Split(o.EValue, "\n")[0]))
			}
		}
	}
	return nil
}

// withModule is a Python that has a module, or "".
func withModule(name string) string {
	for _, p := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(p, "-c", "import "+name).Run() == nil {
			return p
		}
	}
	return ""
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}
