package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
)

// Argument is what this program must be called with to be a worker: it is to
// call Main then.
const Argument = "worker"

// process is a started worker, as the host holds it.
type process struct {
	in  io.WriteCloser // control, to the worker
	out io.ReadCloser  // control, from the worker
	raw [2]*os.File    // read ends of its descriptors 1 and 2; nil: none
	pid int            // 0: it runs in this process

	ended chan struct{} // closed when it has ended
	end   ending        // how, after ended
	kill  func()
}

// ending is how a process ended.
type ending struct {
	code   int    // of os.Exit; -1: a signal
	signal string // such as "killed"
}

// spawn starts command as a worker.
func spawn(command, env []string) (*process, error) {
	if len(command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command = []string{self, Argument}
	}
	p := &process{ended: make(chan struct{})}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var theirs []*os.File
	closeAll := func(files []*os.File) {
		for _, f := range files {
			f.Close()
		}
	}
	var ours []*os.File
	for i := range 4 { // control to and from the worker, its output, its errors
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(append(ours, theirs...))
			return nil, err
		}
		if i == 0 {
			r, w = w, r
		}
		ours, theirs = append(ours, r), append(theirs, w)
	}
	p.in, p.out, p.raw = ours[0], ours[1], [2]*os.File{ours[2], ours[3]}
	cmd.Stdout, cmd.Stderr = theirs[2], theirs[3]
	inherit(cmd, theirs[0], theirs[1])
	err := p.start(cmd)
	closeAll(theirs)
	if err != nil {
		closeAll(ours)
		return nil, fmt.Errorf("worker: it cannot be started: %w", err)
	}
	return p, nil
}

// start starts cmd on a thread that lives as long as the process, because
// Linux kills the process when that thread ends: see inherit.
func (p *process) start(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
			p.kill = func() { killGroup(cmd) }
		}
		started <- err
		if err != nil {
			return
		}
		await(cmd)
		cmd.Wait()
		p.end = endingOf(cmd.ProcessState)
		close(p.ended)
	}()
	return <-started
}

// local runs a session in this process, whose streams become the worker's.
func local(m Maker) (*process, error) {
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{in: inW, out: outR, ended: make(chan struct{}), kill: func() { inW.Close() }}
	stdout, stderr := os.Stdout, os.Stderr
	var w [2]*os.File
	for i := range w {
		if p.raw[i], w[i], err = os.Pipe(); err != nil {
			return nil, err
		}
	}
	os.Stdout, os.Stderr = w[0], w[1]
	go func() {
		defer close(p.ended)
		if err := serve(inR, outW, m); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			p.end.code = 1
		}
		os.Stdout, os.Stderr = stdout, stderr
		for _, f := range []*os.File{inR, outW, w[0], w[1]} {
			f.Close()
		}
	}()
	return p, nil
}
