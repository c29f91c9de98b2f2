package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/wire"
)

// frontEnd is a front end with a kernel in a process of its own.
type frontEnd struct {
	*testing.T
	*wire.Client
	cmd *exec.Cmd

	messages []wire.Message // of other requests than the one that was waited for
	replies  []wire.Request
}

// answered is what came for one request.
type answered struct {
	iopub []wire.Message // from busy to idle
	reply wire.Request
}

// startKernel starts the program as a kernel and connects to it.
func startKernel(t *testing.T, args ...string) *frontEnd {
	t.Helper()
	file, conn := connectionFile(t)
	cmd := exec.Command(buildChest(t), append([]string{"kernel", file}, args...)...)
	return connect(t, conn, cmd)
}

// connectionFile writes a fresh connection file.
func connectionFile(t *testing.T) (string, wire.Connection) {
	t.Helper()
	conn, err := wire.NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kernel.json")
	if err := conn.Write(file); err != nil {
		t.Fatal(err)
	}
	return file, conn
}

// connect starts cmd, which is or starts a kernel, and connects to it.
func connect(t *testing.T, conn wire.Connection, cmd *exec.Cmd) *frontEnd {
	t.Helper()
	f := &frontEnd{T: t, cmd: cmd}
	cmd.Stderr = os.Stderr
	err := cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if f.Client, err = wire.Dial(ctx, conn); err == nil {
		t.Cleanup(func() { f.Close() })
		_, err = f.Ready(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ask sends a request and waits for its reply and its idle.
func (f *frontEnd) ask(channel wire.Channel, kind string, content any) answered {
	f.Helper()
	id, err := f.Send(channel, kind, content)
	if err != nil {
		f.Fatal(err)
	}
	return f.wait(id)
}

// wait waits for what answers the request with an id. What belongs to others
// stays for their turn.
func (f *frontEnd) wait(id string) (a answered) {
	f.Helper()
	limit := time.After(30 * time.Second)
	idle, replied := false, false
	message := func(m wire.Message) bool {
		if m.Parent.MsgID == id {
			a.iopub = append(a.iopub, m)
			idle = idle || m.Header.MsgType == "status" && strings.Contains(string(m.Content), wire.Idle)
		}
		return m.Parent.MsgID == id
	}
	reply := func(r wire.Request) bool {
		if r.Parent.MsgID == id {
			a.reply, replied = r, true
		}
		return r.Parent.MsgID == id
	}
	f.messages = slices.DeleteFunc(f.messages, message)
	f.replies = slices.DeleteFunc(f.replies, reply)
	for !idle || !replied {
		select {
		case m, ok := <-f.IOPub():
			if !ok {
				f.Fatal("the kernel has gone")
			}
			if !message(m) {
				f.messages = append(f.messages, m)
			}
		case r, ok := <-f.Replies():
			if !ok {
				f.Fatal("the kernel has gone")
			}
			if !reply(r) {
				f.replies = append(f.replies, r)
			}
		case <-limit:
			f.Fatalf("no answer in 30 s; there are %d messages", len(a.iopub))
		}
	}
	return a
}

// cell runs a cell.
func (f *frontEnd) cell(code string) answered {
	f.Helper()
	return f.ask(wire.Shell, "execute_request", map[string]any{"code": code})
}

// count is the number of iopub messages of a type.
func (a answered) count(kind string) (n int) {
	for _, m := range a.iopub {
		if m.Header.MsgType == kind {
			n++
		}
	}
	return n
}

// status is that of the reply.
func (a answered) status() string {
	var s struct{ Status string }
	json.Unmarshal(a.reply.Content, &s)
	return s.Status
}

// children lists the processes that pid started.
func children(t *testing.T, pid int) (all []int) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tasks {
		b, _ := os.ReadFile(f)
		for _, w := range strings.Fields(string(b)) {
			n, _ := strconv.Atoi(w)
			all = append(all, n)
		}
	}
	return all
}

// sharedMemory is the PSS and the RSS of a process in MiB.
func sharedMemory(pid int) (pss, rss float64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for l := range strings.Lines(string(b)) {
		f := strings.Fields(l)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "Pss:":
			pss = n / 1024
		case "Rss:":
			rss = n / 1024
		}
	}
	return pss, rss
}

// TestKernelOutlivesCells: a cell that ends its process fails, the next one
// runs, and nothing is left when the kernel is killed.
func TestKernelOutlivesCells(t *testing.T) {
	f := startKernel(t)
	if a := f.cell("1 + 1"); a.status() != wire.StatusOK {
		t.Fatalf("%s", a.reply.Content)
	}
	a := f.cell("func deep(n int) int { return deep(n+1) + 1 }\ndeep(0)")
	if a.status() != wire.StatusError || !strings.Contains(string(a.reply.Content), "endless recursion") || len(a.reply.Content) > 4000 {
		t.Errorf("endless recursion: %.4000s", a.reply.Content)
	}
	if a := f.cell("1 + 1"); a.status() != wire.StatusOK {
		t.Errorf("the next cell: %s", a.reply.Content)
	}
	if a := f.cell("import \"os\"\nos.Exit(3)"); a.status() != wire.StatusError || !strings.Contains(string(a.reply.Content), "os.Exit(3)") {
		t.Errorf("os.Exit: %s", a.reply.Content)
	}
	workers := children(t, f.cmd.Process.Pid)
	if len(workers) == 0 {
		t.Skip("SKIPPED: this system does not list processes")
	}
	f.cmd.Process.Kill()
	f.cmd.Wait()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", workers[0])); err != nil || strings.Contains(string(b), ") Z") {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the worker lives on without its kernel")
		}
	}
}

// TestKernelFigures measures what a user feels and logs it. It is not run by
// itself, because its figures need a quiet machine:
//
//	CHEST_FIGURES=1 go test ./tests -run KernelFigures -v
func TestKernelFigures(t *testing.T) {
	if os.Getenv("CHEST_FIGURES") == "" {
		t.Skip("SKIPPED: measures only with CHEST_FIGURES=1")
	}
	buildChest(t)
	var info, first []time.Duration
	var f *frontEnd
	for i := range 9 {
		if i > 0 { // one at a time: others would share memory with it
			f.cmd.Process.Kill()
			f.cmd.Wait()
		}
		begin := time.Now()
		f = startKernel(t)
		info = append(info, time.Since(begin))
		f.cell("1+1")
		first = append(first, time.Since(begin))
	}
	slices.Sort(info)
	slices.Sort(first)
	t.Logf("start to kernel_info: median %v of %v", info[4], info)
	t.Logf("start to idle of the first cell: median %v of %v", first[4], first)
	logMemory(t, f, "after the start")

	begin := time.Now()
	f.cell("x := 1")
	t.Logf("a cell that declares: %v", time.Since(begin))
	var warm []time.Duration
	for range 500 {
		begin := time.Now()
		f.cell("1+1")
		warm = append(warm, time.Since(begin))
	}
	slices.Sort(warm)
	t.Logf("warm 1+1: median %v, p95 %v, worst %v", warm[250], warm[475], warm[499])
	logMemory(t, f, "after 500 cells")

	var times []time.Duration
	messages := 0
	for range 5 {
		begin = time.Now()
		a := f.cell("for i := 0; i < 10000; i++ { fmt.Println(\"line\", i) }")
		times = append(times, time.Since(begin))
		messages = max(messages, a.count("stream"))
	}
	slices.Sort(times)
	t.Logf("10,000 Println: %v, at most %d messages", times, messages)

	for _, code := range []string{"for {}", "time.Sleep(time.Minute)", "select {}", "<-make(chan int)", `for { fmt.Print("x") }`} {
		var lag []time.Duration
		for range 5 {
			id, err := f.Send(wire.Shell, "execute_request", map[string]any{"code": "import \"time\"\n" + code})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Millisecond)
			begin := time.Now()
			if _, err := f.Send(wire.Control, "interrupt_request", nil); err != nil {
				t.Fatal(err)
			}
			f.wait(id)
			lag = append(lag, time.Since(begin))
		}
		slices.Sort(lag)
		t.Logf("interrupt of %s: median %v, worst %v", code, lag[2], lag[4])
	}
	logMemory(t, f, "at the end")
}

func logMemory(t *testing.T, f *frontEnd, when string) {
	p, r := sharedMemory(f.cmd.Process.Pid)
	text := fmt.Sprintf("memory %s: kernel PSS %.1f RSS %.1f MiB", when, p, r)
	for _, c := range children(t, f.cmd.Process.Pid) {
		cp, cr := sharedMemory(c)
		p += cp
		text += fmt.Sprintf(", worker PSS %.1f RSS %.1f MiB", cp, cr)
	}
	t.Logf("%s, together PSS %.1f MiB", text, p)
}
