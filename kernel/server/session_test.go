package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/display"
	"github.com/chestlab/chest/kernel/eval"
	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
	"github.com/traefik/yaegi/stdlib"
)

// TestSession runs cells on the interpreter, through the sockets.
func TestSession(t *testing.T) {
	if raceDetector {
		t.Skip("the interpreter itself races when it is interrupted")
	}
	f := start(t, nil, Options{Worker: worker.Options{Local: cellSession}})
	cell := func(code, want string) {
		t.Helper()
		events, reply := f.finish(f.run(code))
		got := ""
		for _, e := range events {
			switch e.Header.MsgType {
			case "stream":
				got += field(e, "name") + ":" + field(e, "text") + "|"
			case "execute_result", "display_data":
				got += e.Header.MsgType + ":" + field(e, "data") + "|"
			}
		}
		if got += field(reply, "ename"); got != want {
			t.Errorf("%q: got %q, want %q", code, got, want)
		}
	}
	cell("x := 20\nx + 1", "execute_result:map[text/plain:21]|")
	cell("fmt.Print(x); display.Show(display.Text(\"in between\")); fmt.Print(\"b\")", "stdout:20|display_data:map[text/plain:in between]|stdout:b|")
	cell("fmt.Fprint(os.Stderr, \"e\")", "stderr:e|")
	cell("var s []int\ns[3]", "panic")
	cell("x", "execute_result:map[text/plain:20]|")

	for _, code := range []string{"fmt.Println(\"in\")\nfor {}", "fmt.Println(\"in\")\n<-make(chan int)", "fmt.Println(\"in\")\ntime.Sleep(1500 * time.Millisecond)"} {
		id := f.run(code)
		f.await("the first output", func(e event) bool { return e.Header.MsgType == "stream" && e.Parent.MsgID == id })
		f.finish(f.send(wire.Control, "interrupt_request", nil))
		if _, reply := f.finish(id); field(reply, "ename") != "interrupted" {
			t.Errorf("%q: %s", code, reply.Content)
		}
		cell("x", "execute_result:map[text/plain:20]|")
	}
}

// cellSession is a worker's session on the interpreter.
func cellSession(out *worker.Outlet) (worker.Session, error) {
	show := map[string]map[string]reflect.Value{"chest/display/display": {"Show": reflect.ValueOf(display.Show), "Text": reflect.ValueOf(display.Text), "Die": reflect.ValueOf(die)}}
	ev, err := eval.New(eval.Options{
		Symbols: []map[string]map[string]reflect.Value{stdlib.Symbols, show},
		Imports: []string{"fmt", "os", "time", "chest/display"},
		Stdin:   out.Stdin(), Stdout: out.Stdout(), Stderr: out.Stderr(),
	})
	return worker.Session{Evaluator: ev}, err
}

// die kills this process.
func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		self.Kill()
	}
	select {}
}

// TestParentDies starts a process that starts a kernel, and ends.
func TestParentDies(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no parent to watch")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestParentDies$")
	cmd.Env = append(os.Environ(), roleVar+"=parent")
	alive, hold, err := os.Pipe() // the kernel holds the other end while it lives
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	cmd.ExtraFiles = []*os.File{hold}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	hold.Close()
	ended := make(chan error, 1)
	go func() { _, err := io.ReadAll(alive); ended <- err }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the kernel lives on without its parent")
	}
}

const roleVar = "CHEST_TEST_ROLE"

// TestMain plays the processes of TestParentDies.
func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "parent":
		exitWith(playParent())
	case "kernel":
		conn, err := wire.ReadConnection(os.Getenv("CHEST_TEST_CONNECTION"))
		if err == nil {
			err = Serve(context.Background(), conn, Options{Worker: worker.Options{Env: []string{roleVar + "=worker"}}})
		}
		exitWith(err)
	case "worker":
		exitWith(worker.Main(cellSession))
	}
	os.Exit(m.Run())
}

func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// playParent starts a kernel, waits until it answers, and leaves it.
func playParent() error {
	conn, err := wire.NewConnection()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "chest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := dir + "/connection.json"
	if err := conn.Write(path); err != nil {
		return err
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=kernel", "CHEST_TEST_CONNECTION="+path, fmt.Sprint("JPY_PARENT_PID=", os.Getpid()))
	cmd.ExtraFiles = []*os.File{os.NewFile(3, "hold")}
	if err := cmd.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := wire.Dial(ctx, conn)
	if err != nil {
		return err
	}
	defer c.Close()
	info, err := c.Ready(ctx)
	if err == nil && !strings.Contains(info.Implementation, "chest") {
		err = errors.New("not a kernel")
	}
	return err
}
