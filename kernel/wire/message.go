// Package wire carries Jupyter messages: the connection file, frames and their
// signature, the contents of the message types, and the five sockets of a
// kernel with both their ends. It knows nothing of evaluation.
//
// Source: the Jupyter messaging protocol, version 5.4, and ZMTP 3.0, RFC 23.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ProtocolVersion is the version of the messaging protocol in every header.
const ProtocolVersion = "5.4"

// Channel is one of the sockets that carry requests and replies.
type Channel int

const (
	Shell   Channel = iota // execution and questions, one after the other
	Control                // interrupt and shutdown, answered while a cell runs
	Stdin                  // questions of the kernel to its user
)

// String is the name of the channel in the protocol.
func (c Channel) String() string {
	switch c {
	case Shell:
		return "shell"
	case Control:
		return "control"
	case Stdin:
		return "stdin"
	}
	return fmt.Sprintf("channel %d", int(c))
}

// Header names a message and who sent it.
type Header struct {
	MsgID    string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"` // ISO 8601, UTC, as text so that it is sent back unchanged
	MsgType  string `json:"msg_type"`
	Version  string `json:"version"`
}

// NewHeader is the header of a new message of a session.
func NewHeader(session, username, msgType string) Header {
	return Header{
		MsgID: uuid.NewString(), Session: session, Username: username,
		Date:    time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"),
		MsgType: msgType, Version: ProtocolVersion,
	}
}

// Message is one message of any channel.
type Message struct {
	IDs      [][]byte // routing frames: who asked; on iopub the topic
	Header   Header
	Parent   Header // of the request that caused it; zero is sent as {}
	Metadata map[string]any
	Content  json.RawMessage
	Buffers  [][]byte // raw bytes after the content
}

// Request is a message and the channel on which it came.
type Request struct {
	Channel Channel
	Message
}

// Into reads the content into a struct of this package, such as
// *ExecuteRequest. Unknown fields are ignored and absent ones keep the value
// they have in v.
func (m Message) Into(v any) error {
	if err := json.Unmarshal(m.Content, v); err != nil {
		return fmt.Errorf("wire: content of %s: %w", m.Header.MsgType, err)
	}
	return nil
}

// marshal is the JSON of v without the escapes that only HTML needs. A []byte
// becomes a base64 string, a NaN is an error.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// contentJSON is the JSON object of a message content; nil is {}.
func contentJSON(msgType string, v any) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("{}"), nil
	}
	c, err := marshal(v)
	if err == nil && (len(c) == 0 || c[0] != '{') {
		err = errors.New("not a JSON object")
	}
	if err != nil {
		return nil, fmt.Errorf("wire: content of %s: %w", msgType, err)
	}
	return c, nil
}
