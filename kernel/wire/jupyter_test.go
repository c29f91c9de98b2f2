package wire

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestJupyterClient is the round trip with the client that front ends use. It
// is skipped where Python has no jupyter_client.
func TestJupyterClient(t *testing.T) {
	python := ""
	for _, p := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(p, "-c", "import jupyter_client").Run() == nil {
			python = p
		}
	}
	if python == "" {
		if os.Getenv("CHEST_FULL") == "1" {
			t.Fatal("CHEST_FULL=1: no Python with jupyter_client (sh tests/install.sh)")
		}
		t.Skip("SKIPPED: no Python with jupyter_client (sh tests/install.sh)")
	}
	c, err := NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	path := filepath.Join(t.TempDir(), "kernel.json")
	if err := c.Write(path); err != nil {
		t.Fatal(err)
	}
	go askForALine(s)
	out, err := exec.CommandContext(t.Context(), python, "testdata/client.py", path).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "fine" {
		t.Errorf("%v\n%s", err, out)
	}
	if r := s.Rejected(); r != (Rejected{}) {
		t.Errorf("rejected %+v", r)
	}
}

// askForALine is a kernel whose every cell asks for a line and prints it.
func askForALine(s *Server) {
	var cell Request
	for r := range s.Requests() {
		switch r.Header.MsgType {
		case "kernel_info_request":
			s.Publish(r.Header, "status", Status{Busy})
			s.Reply(r, "kernel_info_reply", KernelInfoReply{Status: StatusOK, ProtocolVersion: ProtocolVersion})
			s.Publish(r.Header, "status", Status{Idle})
		case "execute_request":
			s.Publish(r.Header, "status", Status{Busy})
			cell, r.Channel = r, Stdin
			s.Reply(r, "input_request", InputRequest{})
		case "input_reply":
			var in InputReply
			r.Into(&in)
			s.Publish(cell.Header, "stream", Stream{"stdout", strings.Repeat(in.Value, 100000)})
			s.Publish(cell.Header, "display_data", DisplayData{Data: map[string]any{"image/png": []byte{1, 2, 3}}})
			s.Reply(cell, "execute_reply", ExecuteReply{Status: StatusOK})
			s.Publish(cell.Header, "status", Status{Idle})
		case "shutdown_request":
			s.Reply(r, "shutdown_reply", ShutdownReply{Status: StatusOK})
		}
	}
}
