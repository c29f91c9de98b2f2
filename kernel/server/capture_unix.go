//go:build unix

package server

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newCapture puts pipes in place of the descriptors 1 and 2, so that the
// output of compiled code, of the run time and of C libraries comes too.
func newCapture() (*capture, error) {
	c := &capture{}
	var saved []int
	c.restore = func() {
		for i, fd := range saved {
			redirect(fd, i+1)
			unix.Close(fd)
		}
		if c.stderr != nil {
			c.stderr.Close()
		}
	}
	fd, err := duplicate(2)
	if err != nil {
		return nil, err
	}
	c.stderr = os.NewFile(uintptr(fd), "/dev/stderr")
	for i, name := range []string{stdout, stderr} {
		p, err := openPipe(name)
		if err == nil {
			c.pipes = append(c.pipes, p)
			fd, err = duplicate(i + 1)
		}
		if err == nil {
			saved = append(saved, fd)
			err = redirect(int(p.w.Fd()), i+1)
		}
		if err != nil {
			c.close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return c, nil
}

// openPipe makes a pipe. Its write end blocks, because the run time and C
// libraries drop text when a stream does not take it.
func openPipe(name string) (*pipe, error) {
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return nil, err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	unix.SetNonblock(fds[0], true) // so that Close ends a Read
	widen(fds[1])
	return newPipe(name, os.NewFile(uintptr(fds[0]), name), os.NewFile(uintptr(fds[1]), name)), nil
}

// duplicate is another descriptor of the same file, closed in child processes.
func duplicate(fd int) (int, error) {
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
}
