package notebook

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/kernel/wire"
)

// fakeEnv makes the test program a kernel; its value says how it starts.
const fakeEnv = "CHEST_FAKE_KERNEL"

func TestMain(m *testing.M) {
	if how := os.Getenv(fakeEnv); how != "" {
		fakeMain(how, os.Args[len(os.Args)-1])
		return
	}
	interruptLimit, shutdownLimit = 2*time.Second, time.Second
	os.Exit(m.Run())
}

// fakeMain is a kernel that understands one command a line:
//
//	print TEXT     stdout, with \n for a new line    err TEXT       stderr
//	show ID TEXT   a display                         update ID TEXT its update
//	html TEXT      a display of HTML                 result TEXT    execute_result
//	clear, clearlater                                fail NAME TEXT an error
//	hang           until interrupted                 stubborn       not even then
//	flood N        N lines of text                   die            exit code 7
//	sleep D        time.ParseDuration                child          start a process that outlives the kernel
//	later TEXT     printed by a goroutine, after the cell's end
func fakeMain(how, file string) {
	switch how {
	case "broken":
		fmt.Fprintln(os.Stderr, "the fake kernel will not start")
		os.Exit(3)
	case "deaf":
		select {}
	}
	c, err := wire.ReadConnection(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s, err := wire.Listen(context.Background(), c)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	k := &fake{Server: s, interrupts: make(chan bool, 1)}
	cells := make(chan wire.Request, 100)
	go func() {
		for r := range cells {
			k.run(r)
		}
	}()
	for r := range s.Requests() {
		switch r.Header.MsgType {
		case "execute_request":
			cells <- r
		case "kernel_info_request":
			s.Publish(r.Header, "status", wire.Status{ExecutionState: wire.Busy})
			s.Reply(r, "kernel_info_reply", wire.KernelInfoReply{Status: wire.StatusOK, LanguageInfo: wire.LanguageInfo{Name: "fake", FileExtension: ".go"}})
			s.Publish(r.Header, "status", wire.Status{ExecutionState: wire.Idle})
		case "interrupt_request":
			select {
			case k.interrupts <- true:
			default:
			}
			s.Reply(r, "interrupt_reply", wire.StatusReply{Status: wire.StatusOK})
		case "shutdown_request":
			if how == "immortal" {
				continue
			}
			s.Reply(r, "shutdown_reply", wire.ShutdownReply{Status: wire.StatusOK})
			s.Close()
			os.Exit(0)
		}
	}
}

// fakeCommand is the fake kernel as RunOptions.Command, for tests that run in
// parallel and so cannot set the environment.
func fakeCommand(how string) []string { return []string{"env", fakeEnv + "=" + how, os.Args[0]} }

// fake is the kernel's state.
type fake struct {
	*wire.Server
	count      int
	interrupts chan bool
	parent     wire.Header
}

// run runs a cell.
func (k *fake) run(r wire.Request) {
	var q wire.ExecuteRequest
	r.Into(&q)
	k.count++
	k.parent = r.Header
	k.Publish(r.Header, "status", wire.Status{ExecutionState: wire.Busy})
	k.Publish(r.Header, "execute_input", wire.ExecuteInput{Code: q.Code, ExecutionCount: k.count})
	reply := wire.ExecuteReply{Status: wire.StatusOK, ExecutionCount: k.count}
	for i, line := range strings.Split(q.Code, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		if e := k.do(word, strings.ReplaceAll(rest, `\n`, "\n")); e != nil {
			e.Traceback = []string{fmt.Sprintf("\x1b[31mIn[%d]:%d:1: %s\x1b[0m", k.count, i+1, e.EValue), "> " + line}
			k.Publish(r.Header, "error", *e)
			reply = wire.ExecuteReply{Status: wire.StatusError, ExecutionCount: k.count, EName: e.EName, EValue: e.EValue, Traceback: e.Traceback}
			break
		}
	}
	k.Reply(r, "execute_reply", reply)
	k.Publish(r.Header, "status", wire.Status{ExecutionState: wire.Idle})
}

// do runs one command.
func (k *fake) do(word, rest string) *wire.Error {
	id, text, _ := strings.Cut(rest, " ")
	switch word {
	case "print":
		k.print("stdout", rest)
	case "err":
		k.print("stderr", rest)
	case "show", "update":
		kind := map[string]string{"show": "display_data", "update": "update_display_data"}[word]
		k.Publish(k.parent, kind, wire.DisplayData{Data: map[string]any{"text/plain": text}, Transient: wire.Transient{DisplayID: id}})
	case "html":
		k.Publish(k.parent, "display_data", wire.DisplayData{Data: map[string]any{"text/html": rest, "text/plain": "<html>", "image/png": []byte{1, 2, 3}}})
	case "result":
		k.Publish(k.parent, "execute_result", wire.ExecuteResult{ExecutionCount: k.count, Data: map[string]any{"text/plain": rest}})
	case "clear", "clearlater":
		k.Publish(k.parent, "clear_output", wire.ClearOutput{Wait: word == "clearlater"})
	case "fail":
		return &wire.Error{EName: id, EValue: text}
	case "hang":
		<-k.interrupts
		return &wire.Error{EName: "interrupted", EValue: "the cell was interrupted"}
	case "stubborn":
		select {}
	case "flood":
		var n int
		fmt.Sscan(rest, &n)
		for i := range n {
			k.print("stdout", fmt.Sprintf("line %d\n", i))
		}
	case "die":
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(7)
	case "sleep":
		d, _ := time.ParseDuration(rest)
		time.Sleep(d)
	case "child":
		k.print("stdout", fmt.Sprint(startChild()))
	case "later":
		parent := k.parent
		time.AfterFunc(50*time.Millisecond, func() {
			k.Publish(parent, "stream", wire.Stream{Name: "stdout", Text: rest})
		})
	}
	return nil
}

func (k *fake) print(name, text string) {
	k.Publish(k.parent, "stream", wire.Stream{Name: name, Text: text})
}
