package main

import "testing"

// TestPassing: what go run builds is no program to register.
func TestPassing(t *testing.T) {
	for program, want := range map[string]bool{
		"/tmp/go-build123/b001/exe/chest":           true,
		"/home/u/.cache/go-build/ab/abcdef-d/chest": true,
		"/home/u/go/bin/chest":                      false,
		"/home/u/src/my-go-build-notes/bin/chest":   false,
		"/usr/local/bin/chest":                      false,
	} {
		if got := passing(program); got != want {
			t.Errorf("%s: %v", program, got)
		}
	}
}
