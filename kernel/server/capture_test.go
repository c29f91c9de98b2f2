package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

func TestWhole(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int
	}{
		{"", 0}, {"abc", 3}, {"aé", 3}, {"a\xc3", 1}, {"a\xe2\x82", 1}, {"\xf0\x9f\x98", 0}, {"😀", 4},
		{"a\xff", 2}, {"\x80\x80\x80\x80\x80", 5}, // no UTF-8: sent as it is
	} {
		if got := whole([]byte(tt.text)); got != tt.want {
			t.Errorf("%q: %d, want %d", tt.text, got, tt.want)
		}
	}
}

// TestMarks passes text with marks through in pieces of every size.
func TestMarks(t *testing.T) {
	p := newPipe(stdout, nil, nil)
	mark := func(n int) string { return fmt.Sprintf("%s%08x", p.mark, n) }
	stream := "one" + mark(0) + "\x00\x01chest:" + mark(1) + mark(2) + "end\x00"
	for size := 1; size <= len(stream); size++ {
		var got bytes.Buffer
		take := func(_ string, b []byte) { got.Write(b) }
		done := make([]chan struct{}, 3)
		for i := range done {
			done[i] = make(chan struct{})
			p.waiting[i] = done[i]
		}
		var held []byte
		for i := 0; i < len(stream); i += size {
			held = append(held, stream[i:min(i+size, len(stream))]...)
			held = p.pass(held, take)
		}
		got.Write(held)
		if got.String() != "one\x00\x01chest:end\x00" {
			t.Fatalf("pieces of %d: %q", size, got.String())
		}
		for i, c := range done {
			select {
			case <-c:
			default:
				t.Fatalf("pieces of %d: mark %d was not seen", size, i)
			}
		}
	}
}

// FuzzMarks passes any text through in random pieces: nothing is lost.
func FuzzMarks(f *testing.F) {
	f.Add([]byte("a\x00\x01chest:b"), uint64(1))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		p := newPipe(stdout, nil, nil)
		rng := rand.New(rand.NewPCG(seed, 0))
		var got bytes.Buffer
		var held []byte
		for rest := text; len(rest) > 0; {
			n := 1 + rng.IntN(len(rest))
			held = p.pass(append(held, rest[:n]...), func(_ string, b []byte) { got.Write(b) })
			rest = rest[n:]
		}
		got.Write(held)
		if !bytes.Equal(got.Bytes(), text) {
			t.Errorf("%q came out as %q", text, got.Bytes())
		}
		if n := whole(text); n < len(text)-utf8.UTFMax || n > len(text) {
			t.Errorf("whole(%q) = %d", text, n)
		}
	})
}
