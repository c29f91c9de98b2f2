package display

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// Inputter is what a Sink is that can ask the user for a line.
type Inputter interface {
	// Input shows the prompt and returns the line that the user enters, without
	// its end; password hides what is typed. It returns when ctx ends.
	Input(ctx context.Context, prompt string, password bool) (string, error)
}

// ErrNoInput is the error where nobody can be asked, such as in a run without
// a user.
var ErrNoInput = errors.New("display: no input: this notebook runs where nobody can be asked")

// Input asks the user for a line and returns it without its end.
func Input(prompt string) (string, error) { return ask(prompt, false) }

// Password asks the user for a line that is not shown while it is typed.
func Password(prompt string) (string, error) { return ask(prompt, true) }

func ask(prompt string, password bool) (string, error) {
	s := sink()
	if s == nil {
		return terminal.ask(cell(), prompt, password)
	}
	if in, ok := s.(Inputter); ok {
		return in.Input(cell(), prompt, password)
	}
	return "", ErrNoInput
}

// terminal reads lines from standard input.
var terminal = &lines{in: os.Stdin, out: os.Stdout}

// lines asks on a terminal. A read cannot be stopped: one that an interrupt
// left behind gives its line to the next question.
type lines struct {
	in      io.Reader
	out     io.Writer
	mu      sync.Mutex
	buf     *bufio.Reader
	pending chan line
}

type line struct {
	text string
	err  error
}

func (l *lines) ask(ctx context.Context, prompt string, password bool) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprint(l.out, prompt)
	if password && silence(l.in) {
		defer fmt.Fprintln(l.out)
		defer echo(l.in)
	}
	if l.pending == nil {
		l.pending = make(chan line, 1)
		go l.read(l.pending)
	}
	select {
	case got := <-l.pending:
		l.pending = nil
		return got.text, got.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// read sends the next line.
func (l *lines) read(to chan<- line) {
	if l.buf == nil {
		l.buf = bufio.NewReader(l.in)
	}
	s, err := l.buf.ReadString('\n')
	if err != nil && s == "" {
		to <- line{err: err}
		return
	}
	to <- line{text: strings.TrimRight(s, "\r\n")}
}

// silence stops a terminal from showing what is typed. Where stty is missing
// it cannot.
func silence(in io.Reader) bool { return stty(in, "-echo") }

// echo undoes silence.
func echo(in io.Reader) { stty(in, "echo") }

func stty(in io.Reader, arg string) bool {
	f, ok := in.(*os.File)
	if !ok || !isTerminal(f) {
		return false
	}
	cmd := exec.Command("stty", arg)
	cmd.Stdin = f
	return cmd.Run() == nil
}

// Stdin is a standard input that asks the user for a line whenever more is
// read, so that fmt.Scan works in cells.
func Stdin() io.Reader { return &stdin{} }

type stdin struct {
	mu   sync.Mutex
	rest string
}

func (s *stdin) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rest == "" && len(p) > 0 {
		text, err := Input("")
		if errors.Is(err, ErrNoInput) {
			err = io.EOF
		}
		if err != nil {
			return 0, err
		}
		s.rest = text + "\n"
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
