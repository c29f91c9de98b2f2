//go:build !unix

package main

import "os"

var warningSignals []os.Signal // there are none
