package sweep

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Local runs each task in a process of its own on this machine, so that one that
// crashes or needs too much memory takes no other with it.
type Local struct {
	Slots   int                      // processes at a time; 0 means 1
	Threads int                      // of each; 0 means its own default
	GPUs    []string                 // for CUDA_VISIBLE_DEVICES, such as "0", dealt out to the slots in turn; none leaves it as it is
	Command func(f Folder) *exec.Cmd // the process that does Folder.Work; its standard output and error go to the run's log
}

// grace is how long a process has for its checkpoint after an interrupt.
const grace = 20 * time.Second

// Run is Engine.Run.
func (l Local) Run(ctx context.Context, dir string, tasks []Task, begun, done func(t Task)) error {
	var mu sync.Mutex // of begun and done
	queue := make(chan Task)
	errs := make(chan error, 1)
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for slot := range max(l.Slots, 1) {
		wg.Go(func() {
			for t := range queue {
				locked(&mu, func() { begun(t) })
				if err := l.one(ctx, Folder{dir, t.ID}, slot); err != nil {
					select {
					case errs <- err:
					default:
					}
					stop()
				}
				locked(&mu, func() { done(t) })
			}
		})
	}
feed:
	for _, t := range tasks {
		select {
		case queue <- t:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func locked(mu *sync.Mutex, f func()) {
	mu.Lock()
	defer mu.Unlock()
	f()
}

// one runs a task's process to its end. What the process found is in its folder;
// an error is one of starting it.
func (l Local) one(ctx context.Context, f Folder, slot int) error {
	log, err := os.OpenFile(f.path("log.txt"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	defer log.Close()
	cmd := l.Command(f)
	cmd.Stdout, cmd.Stderr = log, log
	if l.Threads > 0 {
		cmd.Env = append(cmd.Environ(), fmt.Sprintf("GOMAXPROCS=%d", l.Threads))
	}
	if len(l.GPUs) > 0 {
		cmd.Env = append(cmd.Environ(), "CUDA_VISIBLE_DEVICES="+l.GPUs[slot%len(l.GPUs)])
	}
	bind(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("sweep: run %s: %w", f.ID, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err = <-ended:
		case <-time.After(grace):
			cmd.Process.Kill()
			err = <-ended
		}
	}
	if err != nil {
		fmt.Fprintf(log, "the process ended: %v\n", err)
	}
	return nil
}
