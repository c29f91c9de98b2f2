package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/chestlab/chest/kernel/kernelspec"
)

// check tells which front ends find the kernel, and fails if none does.
func (p place) check(out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("install: where is this program? %w", err)
	}
	var also []string
	if p.prefix != "" {
		dir, err := p.dir()
		if err != nil {
			return err
		}
		also = append(also, dir)
	}
	r := kernelspec.Check(kernelspec.Here(), p.name, self, kernelspec.AskVersion, also...)
	printSpecs(out, &r, self)
	printFronts(out, &r)
	if remedy := r.Remedy(); remedy != "" {
		return errors.New("install: no front end here starts this kernel: " + remedy)
	}
	return nil
}

// printSpecs prints a paragraph for each kernel that is registered.
func printSpecs(out io.Writer, r *kernelspec.Report, self string) {
	fmt.Fprintf(out, "this program: %s, version %s\n\nkernels\n", self, version)
	if len(r.Specs) == 0 {
		fmt.Fprintf(out, "  none is registered\n")
	}
	for i := range r.Specs {
		s := &r.Specs[i]
		fmt.Fprintf(out, "  %s in %s\n", s.Name, s.Dir)
		for _, line := range specLines(r, s) {
			fmt.Fprintf(out, "    %s\n", line)
		}
	}
}

// specLines say what a registered kernel is, and what is wrong with it.
func specLines(r *kernelspec.Report, s *kernelspec.Found) (lines []string) {
	switch {
	case s.Problem != "":
		lines = append(lines, "BROKEN: "+s.Problem)
	case s.Self:
		lines = append(lines, "starts this program")
	case !s.Ours:
		lines = append(lines, fmt.Sprintf("another program's: starts %s; to have chest there instead: chest install --name %s", s.Program, s.Name))
	case s.Version == version:
		lines = append(lines, fmt.Sprintf("starts %s, of the same version", s.Program))
	default:
		lines = append(lines, fmt.Sprintf("starts another version, %s: %s", s.Version, s.Program))
	}
	if s.Note != "" {
		lines = append(lines, "note: "+s.Note)
	}
	for _, front := range r.Fronts {
		if o := front.Starts; front.Where != "" && r.Hides(front, s) {
			lines = append(lines, fmt.Sprintf("hidden from %s by %s; to be rid of that: %s", front.Name, o.Dir, o.Remove()))
		}
	}
	if s.Name == r.Name && !r.Seen(s) {
		lines = append(lines, "no front end of this machine looks here; one would if the variable JUPYTER_PATH named "+filepath.Dir(filepath.Dir(s.Dir)))
	}
	return lines
}

// printFronts prints a line for each front end.
func printFronts(out io.Writer, r *kernelspec.Report) {
	fmt.Fprintf(out, "\nfront ends, for the kernel %q\n", r.Name)
	for i := range r.Fronts {
		f := &r.Fronts[i]
		fmt.Fprintf(out, "  %-18s %s\n", f.Name, frontLine(f))
	}
	if code := r.Fronts[len(r.Fronts)-1]; code.Where != "" {
		fmt.Fprintf(out, "\nVS Code lists kernels under Select Kernel > Jupyter Kernel. It looks in\n  %s\n", strings.Join(code.Dirs, "\n  "))
	}
}

// frontLine says what a front end starts, or why it does not start chest.
func frontLine(f *kernelspec.FrontEnd) string {
	switch s := f.Starts; {
	case f.Where == "":
		return "not on this machine"
	case f.Lacks != "":
		return "NO: " + f.Where + ": " + f.Lacks
	case s == nil:
		return "NO: " + f.Where + " finds no such kernel"
	case f.Finds():
		return "yes: " + f.Where + " finds " + s.Dir
	case s.Problem != "":
		return "NO: " + f.Where + " finds " + s.Dir + ", which is broken"
	default:
		return "NO: " + f.Where + " finds another program's, " + s.Dir
	}
}
