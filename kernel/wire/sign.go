package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// ErrSignature is the error of a message whose signature does not fit its
// frames: it comes from somebody who does not know the key.
var ErrSignature = errors.New("wire: the signature does not fit")

// delimiter stands between the routing frames and the signed message.
var delimiter = []byte("<IDS|MSG>")

// Signer turns messages into signed frames and back. Its methods may be called
// from any goroutine.
type Signer struct {
	key []byte // nil: unsigned
}

// NewSigner returns a signer for the key and the scheme of a connection file.
// An empty key makes one that neither signs nor checks.
func NewSigner(key, scheme string) (Signer, error) {
	if scheme != schemeSHA256 {
		return Signer{}, fmt.Errorf("wire: signature scheme %q is not supported: use %q", scheme, schemeSHA256)
	}
	if key == "" {
		return Signer{}, nil
	}
	return Signer{key: []byte(key)}, nil
}

// sign is the signature of the four JSON frames, as bytes; nil without a key.
func (s Signer) sign(parts [][]byte) []byte {
	if s.key == nil {
		return nil
	}
	var h hash.Hash = hmac.New(sha256.New, s.key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// Encode is the frames of m:
//
//	IDs… · <IDS|MSG> · signature · header · parent · metadata · content · buffers…
func (s Signer) Encode(m Message) ([][]byte, error) {
	header, err := marshal(m.Header)
	if err != nil {
		return nil, fmt.Errorf("wire: header: %w", err)
	}
	parent := json.RawMessage("{}")
	if m.Parent != (Header{}) {
		if parent, err = marshal(m.Parent); err != nil {
			return nil, fmt.Errorf("wire: parent header: %w", err)
		}
	}
	metadata := json.RawMessage("{}")
	if len(m.Metadata) > 0 {
		if metadata, err = marshal(m.Metadata); err != nil {
			return nil, fmt.Errorf("wire: metadata of %s: %w", m.Header.MsgType, err)
		}
	}
	content := m.Content
	if len(content) == 0 {
		content = json.RawMessage("{}")
	}
	parts := [][]byte{header, parent, metadata, content}
	signature := []byte(hex.EncodeToString(s.sign(parts)))

	frames := make([][]byte, 0, len(m.IDs)+6+len(m.Buffers))
	frames = append(frames, m.IDs...)
	frames = append(frames, delimiter, signature)
	frames = append(frames, parts...)
	return append(frames, m.Buffers...), nil
}

// Decode checks the signature of frames, in constant time, and reads them. A
// signature that does not fit is ErrSignature. Frames of any content give a
// message or an error, never a panic; nothing is parsed before the signature
// fits.
func (s Signer) Decode(frames [][]byte) (Message, error) {
	m, _, err := s.decode(frames)
	return m, err
}

// decode is Decode; it also returns the signature, nil when unsigned.
func (s Signer) decode(frames [][]byte) (m Message, signature []byte, err error) {
	at := 0
	for at < len(frames) && !bytes.Equal(frames[at], delimiter) {
		at++
	}
	if at == len(frames) {
		return m, nil, fmt.Errorf("wire: no %s among %d frames", delimiter, len(frames))
	}
	rest := frames[at+1:]
	if len(rest) < 5 {
		return m, nil, fmt.Errorf("wire: %d frames after %s: want at least 5", len(rest), delimiter)
	}
	parts := rest[1:5]
	want := s.sign(parts)
	if want != nil {
		got, err := hex.DecodeString(string(rest[0]))
		if err != nil || !hmac.Equal(got, want) {
			return m, nil, ErrSignature
		}
	}
	m.IDs, m.Buffers = frames[:at:at], rest[5:]
	return m, want, m.parse(parts)
}

// parse reads the header, parent, metadata and content frames.
func (m *Message) parse(parts [][]byte) error {
	if err := json.Unmarshal(parts[0], &m.Header); err != nil {
		return fmt.Errorf("wire: header: %w", err)
	}
	if m.Header.MsgID == "" || m.Header.MsgType == "" {
		return errors.New("wire: header without msg_id or msg_type")
	}
	if err := json.Unmarshal(parts[1], &m.Parent); err != nil {
		return fmt.Errorf("wire: parent header of %s: %w", m.Header.MsgType, err)
	}
	if err := json.Unmarshal(parts[2], &m.Metadata); err != nil {
		return fmt.Errorf("wire: metadata of %s: %w", m.Header.MsgType, err)
	}
	if !json.Valid(parts[3]) {
		return fmt.Errorf("wire: content of %s is not JSON", m.Header.MsgType)
	}
	m.Content = parts[3]
	return nil
}

// history remembers the signatures of the last messages, to refuse a message
// that somebody recorded and sends again.
type history struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]bool
	ring [][sha256.Size]byte
	next int
}

// historySize is how many messages are remembered, as many as Jupyter's own
// client keeps.
const historySize = 1 << 16

// repeated says whether the signature came before, and remembers it.
func (h *history) repeated(signature []byte) bool {
	if len(signature) != sha256.Size {
		return false
	}
	s := [sha256.Size]byte(signature)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen[s] {
		return true
	}
	if h.seen == nil {
		h.seen = map[[sha256.Size]byte]bool{}
	}
	h.seen[s] = true
	if len(h.ring) < historySize {
		h.ring = append(h.ring, s)
		return false
	}
	delete(h.seen, h.ring[h.next])
	h.ring[h.next] = s
	h.next = (h.next + 1) % historySize
	return false
}
