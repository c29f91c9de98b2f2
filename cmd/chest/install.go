package main

import (
	"fmt"
	"os"
	"path/filepath"

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
	c := &cobra.Command{
		Use:   "install [--user | --prefix DIR] [--name NAME]",
		Short: "Register the kernel with Jupyter",
		Long: `Register this program as the Jupyter kernel "` + kernelspec.DisplayName + `". Any Jupyter front end then
offers it for new notebooks. Run it again after moving the program.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := p.dir()
			if err != nil {
				return failed(err)
			}
			self, err := os.Executable()
			if err != nil {
				return failed(fmt.Errorf("install: where is this program? %w", err))
			}
			spec, err := kernelspec.Install(dir, p.name, self)
			if err != nil {
				return failed(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "installed the kernel %q in %s\n", p.name, spec)
			return nil
		},
	}
	p.flags(c)
	return c
}

func uninstallCommand() *cobra.Command {
	var p place
	c := &cobra.Command{
		Use:   "uninstall [--user | --prefix DIR] [--name NAME]",
		Short: "Take the kernel away from Jupyter",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := p.dir()
			if err != nil {
				return failed(err)
			}
			there, err := kernelspec.Uninstall(dir, p.name)
			if err != nil {
				return failed(err)
			}
			if !there {
				return failed(fmt.Errorf("uninstall: no kernel %q below %s", p.name, dir))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed the kernel %q from %s\n", p.name, dir)
			return nil
		},
	}
	p.flags(c)
	return c
}
