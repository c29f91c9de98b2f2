package worker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Kinds of frames, from the host.
const (
	kindRun       = 'r' // a Cell; answered by kindDone
	kindInterrupt = 'i' // the cell of the id
	kindComm      = 'm' // a Comm; answered by kindDone
	kindAsk       = 'q' // a question; answered by kindAnswer
	kindLine      = 'l' // a line: answers kindInput
	kindMemory    = 's' // a soft memory limit in bytes
	kindSeen      = 'k' // answers kindDisplay and kindClear
)

// Kinds of frames, from the worker.
const (
	kindReady    = 'R' // the session is there
	kindStdout   = 'o' // text
	kindStderr   = 'e' // text
	kindDisplay  = 'D' // a Display
	kindClear    = 'C' // whether to wait
	kindDone     = 'd' // a Reply
	kindAnswer   = 'A' // of a question
	kindInput    = 'I' // a question to the user
	kindNoInput  = 'N' // which is not wanted any more
	kindSendComm = 'M' // a Comm
)

// frame is one message of the control connection:
//
//	kind (1 byte) · id (4) · length (4) · body
type frame struct {
	kind byte
	id   uint32 // of the cell or the question to which it belongs
	body []byte
}

const (
	headSize = 9
	maxFrame = 1 << 30 // bytes of a body
)

// into reads the body into v.
func (f frame) into(v any) error {
	if err := json.Unmarshal(f.body, v); err != nil {
		return fmt.Errorf("worker: frame %q: %w", f.kind, err)
	}
	return nil
}

// readFrame waits for the next frame.
func readFrame(r *bufio.Reader) (frame, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{kind: head[0], id: binary.BigEndian.Uint32(head[1:])}
	n := binary.BigEndian.Uint32(head[5:])
	if n > maxFrame {
		return frame{}, fmt.Errorf("worker: a frame of %d bytes", n)
	}
	f.body = make([]byte, n)
	_, err := io.ReadFull(r, f.body)
	return f, err
}

// frameWriter writes frames. Each is written at once, so that nothing is lost
// when the process ends.
type frameWriter struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte
}

var errTooLarge = errors.New("worker: more than 1 GiB in one message")

// write sends a frame.
func (f *frameWriter) write(kind byte, id uint32, body []byte) error {
	if len(body) > maxFrame {
		return errTooLarge
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.buf = append(f.buf[:0], kind)
	f.buf = binary.BigEndian.AppendUint32(f.buf, id)
	f.buf = binary.BigEndian.AppendUint32(f.buf, uint32(len(body)))
	if len(body) > 64<<10 {
		if _, err := f.w.Write(f.buf); err != nil {
			return err
		}
		_, err := f.w.Write(body)
		return err
	}
	f.buf = append(f.buf, body...)
	_, err := f.w.Write(f.buf)
	return err
}

// send sends v as JSON; nil is an empty body.
func (f *frameWriter) send(kind byte, id uint32, v any) error {
	var body []byte
	if v != nil {
		var err error
		if body, err = marshal(v); err != nil {
			return err
		}
	}
	return f.write(kind, id, body)
}

// marshal is the JSON of v without the escapes that only HTML needs.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
