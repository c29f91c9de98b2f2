//go:build !unix

package server

import "os"

// newCapture puts pipes in place of os.Stdout and os.Stderr. What is written
// past them, by C libraries say, is not seen.
func newCapture() (*capture, error) {
	before, beforeErr := os.Stdout, os.Stderr
	c := &capture{stderr: beforeErr, restore: func() { os.Stdout, os.Stderr = before, beforeErr }}
	for _, name := range []string{stdout, stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			c.close()
			return nil, err
		}
		c.pipes = append(c.pipes, newPipe(name, r, w))
	}
	os.Stdout, os.Stderr = c.pipes[0].w, c.pipes[1].w
	return c, nil
}
