package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/chestlab/chest/chestlib/engine/cuda"
	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

func doctorCommand() *cobra.Command {
	var device string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Tell whether this machine can train on a GPU, and if not, why",
		Long: `Tell whether this machine can train on a GPU, and if not, why: the driver, the
devices, the kernels and a short test of them, one line each. With --device auto
a machine without a GPU is no failure; with --device cuda or cuda:n it is.`,
		Example: `  chest doctor
  CHEST_CUDA_DRIVER=/path/to/libcuda.so.1 chest doctor --device cuda:1`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := driver.ParsePolicy(device)
			if err != nil {
				return err
			}
			err = cuda.Doctor(os.Stdout, driver.System{}, p.Ordinal)
			if p.CPU {
				return nil // the report has told it
			}
			return failed(err)
		},
	}
	c.Flags().StringVar(&device, "device", "auto", "what is needed: auto, cpu, cuda or cuda:n")
	return c
}
