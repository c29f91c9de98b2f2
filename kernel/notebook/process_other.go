//go:build !unix

package notebook

import "os/exec"

// ownGroup can do nothing here.
func ownGroup(*exec.Cmd) {}

// killGroup kills cmd alone.
func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }
