package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chestlab/chest/kernel/wire"
)

// limit is how long a kernel may take for anything that is measured.
const limit = 20 * time.Second

var errNever = errors.New("no answer")

// kernel is a running kernel.
type kernel struct {
	*wire.Client
	cmd *exec.Cmd
}

// measure runs all measurements on a fresh kernel. What fails is left out.
func measure(p peer, cells int) (rows map[string][]float64, err error) {
	rows = map[string][]float64{}
	add := func(row string, v float64) { rows[row] = append(rows[row], v) }
	begin := time.Now()
	k, err := start(p)
	if err != nil {
		return rows, err
	}
	defer k.end()
	add("start to kernel_info", ms(time.Since(begin)))
	if a, err := k.cell(p.lang.trivial); err != nil || a.value() != p.lang.value {
		return rows, fmt.Errorf("the first cell gives %q: %v", a.value(), err)
	}
	add("start to first cell done", ms(time.Since(begin)))
	add("memory at start", memory(k.cmd.Process.Pid))
	timed := func(row, code string) answer {
		begin := time.Now()
		a, err := k.cell(code)
		if err == nil && a.status == "ok" {
			add(row, ms(time.Since(begin)))
		}
		return a
	}
	timed("import std", p.lang.std)
	timed("import gonum/mat or numpy", p.lang.numeric)
	timed("cell that declares", p.lang.declare)
	var warm []float64
	for range cells {
		begin := time.Now()
		if _, err := k.cell(p.lang.trivial); err != nil {
			return rows, err
		}
		warm = append(warm, ms(time.Since(begin)))
	}
	slices.Sort(warm)
	add("warm 1+1, median", warm[len(warm)/2])
	add("warm 1+1, p95", warm[len(warm)*95/100])
	a := timed("10,000 lines", p.lang.lines)
	add("messages of 10,000 lines", float64(a.streams))
	if a, err := k.cell(p.lang.late); err == nil && a.streams > 0 {
		add("first output of a running cell", ms(a.first))
	}
	k.assist(p, add)
	k.cell(p.lang.keep)
	for _, l := range p.lang.loops {
		for range 5 {
			d, err := k.interrupt(l.code)
			if err != nil {
				break
			}
			if a, err := k.cell(p.lang.kept); err != nil || a.value() != "42" {
				break // the state is lost
			}
			add("interrupt "+l.name, ms(d))
		}
	}
	for i := range max(0, 400-cells) {
		if _, err := k.cell(p.lang.declare); err != nil {
			return rows, fmt.Errorf("cell %d of 400: %w", i, err)
		}
	}
	add("memory after 400 cells", memory(k.cmd.Process.Pid))
	begin = time.Now()
	if _, err := k.Send(wire.Control, "shutdown_request", wire.ShutdownRequest{}); err == nil && k.ended() {
		add("shutdown", ms(time.Since(begin)))
	}
	return rows, nil
}

// assist measures completion and inspection, also while a cell runs.
func (k *kernel) assist(p peer, add func(string, float64)) {
	for range 20 {
		if d, err := k.ask("complete_request", wire.CompleteRequest{Code: p.lang.complete, CursorPos: len(p.lang.complete)}); err == nil {
			add("completion, median", ms(d))
		}
		if d, err := k.ask("inspect_request", map[string]any{"code": p.lang.inspect, "cursor_pos": len(p.lang.inspect), "detail_level": 0}); err == nil {
			add("inspection, median", ms(d))
		}
	}
	id, err := k.Send(wire.Shell, "execute_request", request(p.lang.loops[1].code))
	if err != nil {
		return
	}
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	if ask, err := k.Send(wire.Shell, "complete_request", wire.CompleteRequest{Code: p.lang.complete, CursorPos: len(p.lang.complete)}); err == nil {
		if k.reply(ask, time.Second) == nil {
			add("completion while a cell runs", ms(time.Since(begin)))
		}
	}
	k.Send(wire.Control, "interrupt_request", nil)
	k.cmd.Process.Signal(os.Interrupt) // for kernels that know only this
	k.wait(id)
	time.Sleep(200 * time.Millisecond)
}

// start starts a kernel and waits for its kernel_info.
func start(p peer) (*kernel, error) {
	conn, err := wire.NewConnection()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "benchkernel")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "kernel.json")
	if err := conn.Write(file); err != nil {
		return nil, err
	}
	argv := slices.Clone(p.argv)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], "{connection_file}", file)
	}
	k := &kernel{cmd: exec.Command(argv[0], argv[1:]...)}
	if err := k.cmd.Start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if k.Client, err = wire.Dial(ctx, conn); err == nil {
		_, err = k.Ready(ctx)
	}
	if err != nil {
		k.end()
		return nil, err
	}
	return k, nil
}

// ended waits for the end of the process.
func (k *kernel) ended() bool {
	done := make(chan struct{})
	go func() { k.cmd.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

func (k *kernel) end() {
	k.cmd.Process.Kill()
	if k.Client != nil {
		k.Close()
	}
	k.cmd.Wait()
}

// answer is what a cell gave.
type answer struct {
	status  string
	data    map[string]any
	streams int
	first   time.Duration // until the first stream
}

func (a answer) value() string {
	if a.data == nil {
		return ""
	}
	return fmt.Sprint(a.data["text/plain"])
}

func request(code string) map[string]any {
	return map[string]any{"code": code, "silent": false, "store_history": true, "allow_stdin": false, "stop_on_error": false, "user_expressions": map[string]any{}}
}

// cell runs a cell and waits for its end.
func (k *kernel) cell(code string) (answer, error) {
	id, err := k.Send(wire.Shell, "execute_request", request(code))
	if err != nil {
		return answer{}, err
	}
	return k.wait(id)
}

// wait waits for the reply and the idle of a request.
func (k *kernel) wait(id string) (a answer, err error) {
	begin, idle := time.Now(), false
	for t := time.After(limit); !idle || a.status == ""; {
		select {
		case m, ok := <-k.IOPub():
			if !ok {
				return a, errNever
			}
			if m.Parent.MsgID != id {
				continue
			}
			switch m.Header.MsgType {
			case "status":
				idle = idle || strings.Contains(string(m.Content), `"idle"`)
			case "stream":
				if a.streams++; a.streams == 1 {
					a.first = time.Since(begin)
				}
			case "execute_result":
				var r struct{ Data map[string]any }
				json.Unmarshal(m.Content, &r)
				a.data = r.Data
			}
		case r, ok := <-k.Replies():
			if !ok {
				return a, errNever
			}
			if r.Parent.MsgID == id {
				var s struct{ Status string }
				json.Unmarshal(r.Content, &s)
				a.status = s.Status
			}
		case <-t:
			return a, errNever
		}
	}
	return a, nil
}

// reply waits for the reply of a request alone.
func (k *kernel) reply(id string, limit time.Duration) error {
	for t := time.After(limit); ; {
		select {
		case r, ok := <-k.Replies():
			if !ok {
				return errNever
			}
			if r.Parent.MsgID == id {
				return nil
			}
		case <-k.IOPub():
		case <-t:
			return errNever
		}
	}
}

// ask sends a question and tells how long its reply took.
func (k *kernel) ask(kind string, content any) (time.Duration, error) {
	begin := time.Now()
	id, err := k.Send(wire.Shell, kind, content)
	if err != nil {
		return 0, err
	}
	err = k.reply(id, limit)
	return time.Since(begin), err
}

// interrupt runs a cell that does not end by itself and interrupts it.
func (k *kernel) interrupt(code string) (time.Duration, error) {
	id, err := k.Send(wire.Shell, "execute_request", request(code))
	if err != nil {
		return 0, err
	}
	time.Sleep(200 * time.Millisecond)
	begin := time.Now()
	if err := k.cmd.Process.Signal(os.Interrupt); err != nil {
		return 0, err
	}
	a, err := k.wait(id)
	if err == nil && a.status == "ok" {
		err = errors.New("the cell ended well")
	}
	return time.Since(begin), err
}

// memory is the proportional memory of a process and all it has started, in
// MiB.
func memory(pid int) (mib float64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
			n, _ := strconv.ParseFloat(f[1], 64)
			mib = n / 1024
		}
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		for _, w := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(w); err == nil {
				mib += memory(child)
			}
		}
	}
	return mib
}
