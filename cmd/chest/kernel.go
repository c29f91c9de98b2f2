package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/server"
	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

// helpLinks is the front end's help menu.
var helpLinks = []wire.HelpLink{
	{Text: "chest", URL: "https://github.com/chestlab/chest#readme"},
	{Text: "The Go language", URL: "https://go.dev/ref/spec"},
	{Text: "Go's standard library", URL: "https://pkg.go.dev/std"},
	{Text: "Gonum", URL: "https://pkg.go.dev/gonum.org/v1/gonum"},
	{Text: "go-echarts", URL: "https://go-echarts.github.io/go-echarts/"},
}

// kernelGC is the garbage collector's percentage in the kernel's own process,
// which holds little: memory is worth more there than time.
const kernelGC = 40

func kernelCommand() *cobra.Command {
	var memory string
	c := &cobra.Command{
		Use:   "kernel CONNECTION_FILE",
		Short: "Be the kernel of a Jupyter front end (Jupyter calls this)",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conn, err := wire.ReadConnection(args[0])
			if err != nil {
				return failed(err)
			}
			limit, err := memoryLimit(memory)
			if err != nil {
				return exitError{exitUsage, err}
			}
			debug.SetGCPercent(kernelGC)
			return failed(server.Serve(cmd.Context(), conn, server.Options{
				Version:   version,
				Banner:    fmt.Sprintf("chest %s, %s: metric learning in Go notebooks", version, runtime.Version()),
				HelpLinks: helpLinks,
				Debug:     os.Getenv("CHEST_DEBUG") != "",
				Worker:    worker.Options{Memory: limit},
			}))
		},
	}
	c.Flags().StringVar(&memory, "memory", "", `what cells may use, such as 4GB or off (default: 90 % of the machine's memory)`)
	return c
}

// memoryLimit reads --memory for worker.Options.
func memoryLimit(flag string) (int64, error) {
	if flag == "" {
		return 0, nil
	}
	n, err := worker.ParseMemory(flag)
	if err != nil {
		return 0, fmt.Errorf("kernel: --memory: %w", err)
	}
	if n == 0 {
		n = -1
	}
	return n, nil
}

// workerCommand is the process in which a kernel runs its cells.
func workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    worker.Argument,
		Short:  "Run the cells of a kernel (the kernel calls this)",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return failed(worker.Main(workerSession)) },
	}
}

// workerSession is the session of a kernel.
func workerSession(out *worker.Outlet) (worker.Session, error) {
	o := sessionOptions(false)
	o.Stdin, o.Stdout, o.Stderr = out.Stdin(), out.Stdout(), out.Stderr()
	worker.ReceiveComm = func(kind, id, target string, data, metadata map[string]any) {
		if !display.ReceiveComm(kind, id, target, data, metadata) && kind == "open" {
			out.SendComm("close", id, target, nil, nil)
		}
	}
	shell, err := newShell(o, false)
	return worker.Session{Evaluator: shell, Assistant: shell}, err
}
