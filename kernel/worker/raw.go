package worker

import (
	"bytes"
	"sync"
	"time"
)

// dumpLimit is how much of a crash dump is kept, in bytes: its begin tells the
// cause.
const dumpLimit = 256 << 10

// dumpPause is how long text that looks like the begin of a crash dump is held
// back, until the process has died or is known to live.
const dumpPause = 300 * time.Millisecond

// crashMarks begin the lines with which a dying Go process begins its dump.
var crashMarks = [][]byte{
	[]byte("panic: "), []byte("fatal error: "), []byte("runtime: "), []byte("unexpected fault address "),
	[]byte("SIGSEGV: "), []byte("SIGABRT: "), []byte("SIGBUS: "), []byte("SIGFPE: "), []byte("SIGILL: "),
	[]byte("SIGQUIT: "), []byte("SIGTRAP: "), []byte("SIGSYS: "), []byte("fatal: "),
}

// sieve passes the standard error of a process on, except a crash dump.
type sieve struct {
	pass  func([]byte)
	alive func() bool // asks the process, which does not answer while it dies

	mu     sync.Mutex
	inside bool // of a line
	held   []byte
	more   int // bytes of the dump that were not kept
	dump   bool
	timer  *time.Timer
}

// Write takes text.
func (s *sieve) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(p)
	if s.dump {
		s.hold(p)
		return n, nil
	}
	p = append(s.held, p...)
	s.held = nil
	for start := 0; start < len(p); {
		if !s.inside {
			if whole, begun := crashMark(p[start:]); whole || begun {
				s.send(p[:start])
				s.dump = whole
				s.hold(p[start:])
				return n, nil
			}
		}
		end := bytes.IndexByte(p[start:], '\n')
		s.inside = end < 0
		if s.inside {
			break
		}
		start += end + 1
	}
	s.send(p)
	return n, nil
}

// crashMark says whether a line begins with a mark, or may when it goes on.
func crashMark(line []byte) (whole, begun bool) {
	for _, m := range crashMarks {
		if bytes.HasPrefix(line, m) {
			return true, false
		}
		begun = begun || bytes.HasPrefix(m, line)
	}
	return false, begun
}

// hold keeps text back for a while.
func (s *sieve) hold(p []byte) {
	k := min(len(p), dumpLimit-len(s.held))
	s.held = append(s.held, p[:k]...)
	s.more += len(p) - k
	if s.timer == nil {
		s.timer = time.AfterFunc(dumpPause, s.look)
	} else {
		s.timer.Reset(dumpPause)
	}
}

func (s *sieve) send(p []byte) {
	if len(p) > 0 {
		s.pass(p)
	}
}

// look passes on what was held back of a process that lives.
func (s *sieve) look() {
	if s.alive() {
		s.release()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.held) > 0 {
		s.timer.Reset(dumpPause)
	}
}

// release passes on what was held back.
func (s *sieve) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.held
	if len(p) == 0 {
		return
	}
	s.inside = p[len(p)-1] != '\n'
	s.held, s.dump, s.more = nil, false, 0
	s.send(p)
}

// holds says whether text is held back.
func (s *sieve) holds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held) > 0
}

// take ends the sieve and returns the dump.
func (s *sieve) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	p := s.held
	s.held = nil
	if !s.dump {
		s.send(p)
		return ""
	}
	return string(p)
}
