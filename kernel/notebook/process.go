package notebook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chestlab/chest/kernel/wire"
)

const (
	startLimit = 30 * time.Second // from the start of the kernel to its first answer
	pipeLimit  = time.Second      // from the end of the process to that of its pipes
	tailSize   = 256 << 10        // bytes of the kernel's own output kept: a crash lists all goroutines
	quoteSize  = 4 << 10          // and of those in errors
)

// shutdownLimit is the time from shutdown_request to the end of the process.
// Tests shorten it.
var shutdownLimit = 3 * time.Second

// process is a running kernel and the client that talks to it.
type process struct {
	cmd    *exec.Cmd
	client *wire.Client
	info   wire.KernelInfoReply
	dir    string // private, with the connection file
	said   tail
	ended  chan struct{} // closed when the process has ended
	err    error         // how it ended, after ended

	mu     sync.Mutex
	killed bool // the group is killed for good; its number may be another's now
}

// startProcess starts a kernel and waits until it answers. A port that
// somebody took meanwhile is a reason to try again with others.
func startProcess(ctx context.Context, o RunOptions) (*process, error) {
	for try := 1; ; try++ {
		p, err := tryProcess(ctx, o)
		if err == nil || try == 3 || !strings.Contains(err.Error(), "address already in use") {
			return p, err
		}
	}
}

func tryProcess(ctx context.Context, o RunOptions) (*process, error) {
	conn, err := wire.NewConnection()
	if err != nil {
		return nil, err
	}
	p := &process{ended: make(chan struct{})}
	if p.dir, err = os.MkdirTemp("", "chest-run-"); err != nil { // mode 0700
		return nil, err
	}
	file := filepath.Join(p.dir, "kernel.json")
	if err = conn.Write(file); err == nil {
		err = p.start(o, file)
	}
	if err != nil {
		os.RemoveAll(p.dir)
		return nil, err
	}
	if err := p.connect(ctx, conn); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// start runs the command. It does so on a thread of its own that lives as long
// as the kernel: see dieWithParent.
func (p *process) start(o RunOptions, file string) error {
	command := o.Command
	if len(command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		command = []string{self, "kernel"}
	}
	p.cmd = exec.Command(command[0], append(command[1:len(command):len(command)], file)...)
	p.cmd.Dir = o.Dir
	p.cmd.Env = append(os.Environ(), "JPY_PARENT_PID="+strconv.Itoa(os.Getpid()))
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.WaitDelay = pipeLimit
	ownGroup(p.cmd)
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if awaitExit(p.cmd) {
			p.killGroup(true)
		}
		p.err = p.cmd.Wait()
		p.killGroup(true)
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("starting the kernel: %w", err)
	}
	return nil
}

// connect dials the kernel and waits until it answers, is dead, or is late.
func (p *process) connect(ctx context.Context, conn wire.Connection) error {
	ready, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	go func() {
		select {
		case <-p.ended:
			cancel()
		case <-ready.Done():
		}
	}()
	client, err := wire.Dial(ready, conn)
	if err == nil {
		p.client = client
		p.info, err = client.Ready(ready)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(ready.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("the kernel did not answer in %v%s", startLimit, p.said.quoted())
	}
	select {
	case <-p.ended:
		return fmt.Errorf("the kernel ended before it answered (%s)%s", p.how(), p.said.quoted())
	case <-time.After(pipeLimit):
	}
	return fmt.Errorf("connecting to the kernel: %w%s", err, p.said.quoted())
}

// how says how the process ended.
func (p *process) how() string {
	if p.cmd.ProcessState != nil {
		return p.cmd.ProcessState.String()
	}
	return fmt.Sprint(p.err)
}

// stop asks the kernel to end and kills what is left of it.
func (p *process) stop() {
	if _, err := p.client.Send(wire.Control, "shutdown_request", wire.ShutdownRequest{}); err == nil {
		limit := time.After(shutdownLimit)
		outputs, replies := p.client.IOPub(), p.client.Replies()
		for waiting := true; waiting; {
			select { // what still comes must be read for the kernel to go on
			case <-p.ended:
				waiting = false
			case <-limit:
				waiting = false
			case _, ok := <-outputs:
				if !ok {
					outputs = nil
				}
			case _, ok := <-replies:
				if !ok {
					replies = nil
				}
			}
		}
	}
	p.kill()
}

// kill ends the kernel with all it started, waits for it, and removes its
// folder.
func (p *process) kill() {
	p.killGroup(false)
	<-p.ended
	if p.client != nil {
		p.client.Close()
	}
	os.RemoveAll(p.dir)
}

// killGroup kills the kernel with all it started. The last call is made when
// the kernel has ended, before it is reaped where the system allows that;
// calls after it do nothing, since the number of the process may be given to
// another then.
func (p *process) killGroup(last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.killed {
		killGroup(p.cmd)
		p.killed = last
	}
}

// tail keeps the last bytes that the kernel wrote to its own output.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if extra := len(t.b) - tailSize; extra > 0 {
		t.b = append(t.b[:0], t.b[extra:]...)
	}
	return len(p), nil
}

// stacks matches where the Go runtime begins to list the goroutines of a crash.
var stacks = regexp.MustCompile(`(?m)^(runtime stack:|goroutine \d+ .*:)$`)

// quoted is the end of what was written, for an error message: of a crash its
// reason, without the goroutines of the kernel.
func (t *tail) quoted() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.b
	if at := stacks.FindIndex(text); at != nil {
		text = text[:at[0]]
	}
	text = bytes.TrimSpace(text[max(0, len(text)-quoteSize):])
	if len(text) == 0 {
		return ""
	}
	return "; it wrote:\n" + strings.ToValidUTF8(string(text), "")
}
