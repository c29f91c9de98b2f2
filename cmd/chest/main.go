// Command chest is a Jupyter kernel and scripting environment in Go for deep
// metric learning in hyperbolic and Euclidean space.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Exit codes besides 0.
const (
	exitFailed      = 1   // a cell failed, or the command could not do its work
	exitUsage       = 2   // the command line is wrong
	exitTimeout     = 124 // --timeout ran out
	exitInterrupted = 130 // Ctrl-C
)

func main() {
	info, _ := debug.ReadBuildInfo()
	version = builtVersion(version, info)
	os.Exit(run(os.Args[1:]))
}

// run executes the command line and returns the exit code.
func run(args []string) int {
	cmd, err := execute(rootCommand(), args)
	if err == nil {
		return 0
	}
	var code exitError
	if errors.As(err, &code) {
		if code.err != nil {
			complain(code.err)
		}
		return code.code
	}
	complain(fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath()))
	return exitUsage
}

// exitError is an error with the exit code that it asks for; a nil err was
// told already.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return fmt.Sprint(e.err) }
func (e exitError) Unwrap() error { return e.err }

// failed makes err end the program with code 1 and no hint at the usage.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return exitError{exitFailed, err}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "chest",
		Short:         "Deep metric learning in hyperbolic and Euclidean space, in Go notebooks",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Long: `chest runs Go notebooks for deep metric learning in hyperbolic and Euclidean
space: as a Jupyter kernel, without Jupyter, as scripts, and at a prompt.`,
	}
	root.AddCommand(runCommand(), execCommand(), replCommand(), installCommand(), uninstallCommand(), kernelCommand(), workerCommand(), benchCommand(), studyCommand(), sweepCommand(), trialCommand(), runsCommand(), doctorCommand(), dataCommand(), featuresCommand(), exportCommand(), reportCommand(), paperCommand(), docsCommand(), versionCommand())
	return root
}
