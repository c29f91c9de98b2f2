package display

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

// asked is a sink that answers questions.
type asked struct {
	recorder
	answers []string
	prompts []string
}

func (a *asked) Input(ctx context.Context, prompt string, password bool) (string, error) {
	a.prompts = append(a.prompts, fmt.Sprint(prompt, password))
	if len(a.answers) == 0 {
		return "", io.EOF
	}
	s := a.answers[0]
	a.answers = a.answers[1:]
	return s, nil
}

func TestInput(t *testing.T) {
	a := &asked{answers: []string{"Ada", "pass", "1 2", "3"}}
	defer SetSink(SetSink(a))
	if s, err := Input("name "); s != "Ada" || err != nil {
		t.Error(s, err)
	}
	if s, err := Password("word "); s != "pass" || err != nil {
		t.Error(s, err)
	}
	if fmt.Sprint(a.prompts) != "[name false word true]" {
		t.Error(a.prompts)
	}
	var x, y, z int
	in := Stdin()
	if n, err := fmt.Fscan(in, &x, &y, &z); n != 3 || err != nil || x+y+z != 6 {
		t.Error(n, err, x, y, z)
	}
	if _, err := fmt.Fscan(in, &x); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestInputWhereNobodyIs(t *testing.T) {
	record(t)
	if _, err := Input(""); !errors.Is(err, ErrNoInput) {
		t.Error(err)
	}
	if b, err := io.ReadAll(Stdin()); len(b) != 0 || err != nil {
		t.Error(b, err)
	}
}

// TestTerminalInput: an interrupted question leaves its line to the next one.
func TestTerminalInput(t *testing.T) {
	r, w := io.Pipe()
	var out bytes.Buffer
	l := &lines{in: r, out: &out}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := l.ask(ctx, "a ", false); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	go func() {
		io.WriteString(w, "one\r\ntwo")
		w.Close()
	}()
	for _, want := range []string{"one", "two"} {
		if s, err := l.ask(context.Background(), "b ", true); s != want || err != nil {
			t.Error(s, err)
		}
	}
	if _, err := l.ask(context.Background(), "", false); err != io.EOF {
		t.Error(err)
	}
	if out.String() != "a b b " {
		t.Errorf("%q", &out)
	}
}
