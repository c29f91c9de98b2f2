// Command levels prints the levels of vector instructions that this machine
// has, for the Makefile.
package main

import (
	"fmt"

	"github.com/chestlab/chest/internal/cpu"
)

func main() {
	for _, l := range cpu.Levels() {
		fmt.Println(l)
	}
}
