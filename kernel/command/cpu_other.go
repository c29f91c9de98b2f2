//go:build !unix

package command

import "time"

func cpuTime() time.Duration { return 0 }
