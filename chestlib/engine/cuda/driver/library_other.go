//go:build !linux || !(amd64 || arm64) || nogpu

package driver

import "errors"

// supported says that this build can load a driver at all.
const supported = false

func openLibrary(string) (uintptr, error) {
	return 0, errors.New("this build does not load libraries")
}

func openGlobal(path string) (uintptr, error) { return openLibrary(path) }

func findSymbol(uintptr, string) uintptr { return 0 }

func callSymbol(uintptr, ...uintptr) int { return codeNoLibrary }
