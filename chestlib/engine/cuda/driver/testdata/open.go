// open prints the code of the error of opening a GPU, and the error.
package main

import (
	"errors"
	"fmt"

	"github.com/chestlab/chest/chestlib/engine/cuda/driver"
)

func main() {
	_, err := driver.Open(0)
	var e *driver.Error
	if errors.As(err, &e) {
		fmt.Printf("%d %q\n", e.Code, e.Error())
	}
}
