package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/kernel/server"
	"github.com/chestlab/chest/kernel/wire"
)

func kernelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "kernel CONNECTION_FILE",
		Short: "Be the kernel of a Jupyter front end (Jupyter calls this)",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conn, err := wire.ReadConnection(args[0])
			if err != nil {
				return failed(err)
			}
			// The server turns standard error into messages, which end with the
			// process. What the runtime says of a crash goes where it went before.
			if err := debug.SetCrashOutput(os.Stderr, debug.CrashOptions{}); err != nil {
				return failed(fmt.Errorf("kernel: %w", err))
			}
			session, err := newSession(os.Stdout, os.Stderr, false)
			if err != nil {
				return failed(err)
			}
			return failed(server.Serve(cmd.Context(), conn, session, server.Options{Version: version}))
		},
	}
}
