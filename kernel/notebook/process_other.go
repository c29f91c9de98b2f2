//go:build !unix

package notebook

import "os/exec"

// ownGroup can do nothing here.
func ownGroup(*exec.Cmd) {}

// awaitExit cannot wait without reaping here.
func awaitExit(*exec.Cmd) bool { return false }

// killGroup kills cmd alone.
func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }
