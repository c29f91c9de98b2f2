package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/kernel/kernelspec"
)

// place is where a kernelspec goes, --user (default) or --prefix DIR, and the
// name it has there.
type place struct {
	name   string
	user   bool
	prefix string
}

func (p *place) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.name, "name", kernelspec.Name, "the kernel's name in notebooks; gophernotes opens notebooks made for that kernel")
	c.Flags().BoolVar(&p.user, "user", false, "for the present user (default)")
	c.Flags().StringVar(&p.prefix, "prefix", "", "below this prefix, such as /usr/local or a virtual environment")
	c.MarkFlagsMutuallyExclusive("user", "prefix")
}

func (p *place) dir() (string, error) {
	if p.prefix != "" {
		return filepath.Abs(kernelspec.PrefixDir(p.prefix))
	}
	return kernelspec.UserDir()
}

func installCommand() *cobra.Command {
	var p place
	var check bool
	c := &cobra.Command{
		Use:   "install [--user | --prefix DIR] [--name NAME] [--check]",
		Short: "Register the kernel with Jupyter, or check that it is",
		Long: `Register this program as the Jupyter kernel "` + kernelspec.DisplayName + `". Any Jupyter front end then
offers it for new notebooks. Run it again after moving the program.

With --check nothing is written. It tells which front ends this machine has
(Jupyter Notebook, JupyterLab, Jupyter Server, jupyter console, jupyter nbconvert, VS
Code), where each looks for kernels, which kernel it starts, and whether the program of
that is there and answers. It exits with 0 if at least one starts chest, else with 1
and what to do.`,
		Example: `  chest install
  chest install --check
  chest install --prefix /usr/local      # for all users
  chest install --name gophernotes       # notebooks made for that kernel open with chest`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return failed(p.check(cmd.OutOrStdout()))
			}
			return failed(p.install(cmd.OutOrStdout()))
		},
	}
	p.flags(c)
	c.Flags().BoolVar(&check, "check", false, "write nothing: tell which front ends find the kernel")
	return c
}

// install registers the program and says where.
func (p place) install(out io.Writer) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("install: where is this program? %w", err)
	}
	if passing(self) {
		return fmt.Errorf("install: %s is a passing build of go run, and will be removed; build the program first: go install ./cmd/chest, or make build", self)
	}
	other := kernelspec.Replaces(dir, p.name)
	spec, err := kernelspec.Install(dir, p.name, self)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "installed the kernel %q in %s\n", p.name, spec)
	if other != "" {
		fmt.Fprintf(out, "it stands where the kernel of %s was; install that again to have it back\n", other)
	}
	fmt.Fprintf(out, "who finds it: %s --check\n", p.command("install"))
	return nil
}

// passing says whether a program is one that go run builds: it lies in a folder
// of the build, or in the cache of builds.
func passing(program string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(program), "/"), func(s string) bool {
		return strings.HasPrefix(s, "go-build")
	})
}

// command is a command line with the flags of the place.
func (p place) command(verb string) string {
	s := "chest " + verb
	if p.prefix != "" {
		s += " --prefix " + p.prefix
	}
	if p.name != kernelspec.Name {
		s += " --name " + p.name
	}
	return s
}

func uninstallCommand() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "uninstall [--user | --prefix DIR] [--name NAME]",
		Short: "Take the kernel away from Jupyter",
		Long: `Remove what chest install wrote with the same flags, and say what that was and
whether the kernel is registered in other places. A kernel of that name that another
program registered stays. The program itself stays, too.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return failed(p.uninstall(cmd.OutOrStdout())) },
	}
	p.flags(c)
	return c
}

// uninstall takes the kernel away and says which, and where others are.
func (p place) uninstall(out io.Writer) error {
	dir, err := p.dir()
	if err != nil {
		return err
	}
	program, err := kernelspec.Uninstall(dir, p.name)
	if err != nil {
		return err
	}
	left := p.left()
	if program == "" {
		err := fmt.Errorf("uninstall: no kernel %q below %s", p.name, dir)
		if len(left) > 0 {
			err = fmt.Errorf("%w; %s", err, strings.Join(left, "; "))
		}
		return err
	}
	fmt.Fprintf(out, "removed the kernel %q from %s; it started %s\n", p.name, filepath.Join(dir, "kernels", p.name), program)
	for _, line := range left {
		fmt.Fprintln(out, line)
	}
	return nil
}

// left tells where front ends find other kernels of the name that chest wrote.
func (p place) left() (lines []string) {
	r := kernelspec.Check(kernelspec.Here(), p.name, "", func(string) (string, error) { return "", nil })
	for _, s := range r.Specs {
		if s.Ours && s.Name == r.Name {
			lines = append(lines, fmt.Sprintf("one is in %s: %s", s.Dir, s.Remove()))
		}
	}
	return lines
}
