package wire

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// Connection says where a kernel listens and how its messages are signed. Its
// JSON form is Jupyter's connection file.
type Connection struct {
	Transport       string `json:"transport"` // "tcp"
	IP              string `json:"ip"`        // the one address that is bound
	Key             string `json:"key"`       // secret of the signature; "" means unsigned messages
	SignatureScheme string `json:"signature_scheme"`
	KernelName      string `json:"kernel_name"`
	ShellPort       int    `json:"shell_port"`
	IOPubPort       int    `json:"iopub_port"`
	StdinPort       int    `json:"stdin_port"`
	ControlPort     int    `json:"control_port"`
	HBPort          int    `json:"hb_port"`
}

// schemeSHA256 is the one signature scheme that Jupyter servers use.
const schemeSHA256 = "hmac-sha256"

// maxConnectionFile bounds a connection file, which is a few hundred bytes.
const maxConnectionFile = 1 << 20

// NewConnection is a connection on 127.0.0.1 with five ports that were free a
// moment ago and a random key.
func NewConnection() (Connection, error) {
	key := make([]byte, 16)
	rand.Read(key)
	c := Connection{
		Transport: "tcp", IP: "127.0.0.1", Key: hex.EncodeToString(key),
		SignatureScheme: schemeSHA256, KernelName: "chest",
	}
	// All five stay open until the last is known, so that they differ.
	for _, p := range c.ports() {
		l, err := net.Listen("tcp", net.JoinHostPort(c.IP, "0"))
		if err != nil {
			return Connection{}, fmt.Errorf("wire: looking for a free port: %w", err)
		}
		defer l.Close()
		*p.port = l.Addr().(*net.TCPAddr).Port
	}
	return c, nil
}

// namedPort is one port of a connection with its name in the file.
type namedPort struct {
	name string
	port *int
}

// ports lists the five ports in the order of the fields.
func (c *Connection) ports() []namedPort {
	return []namedPort{
		{"shell_port", &c.ShellPort}, {"iopub_port", &c.IOPubPort}, {"stdin_port", &c.StdinPort},
		{"control_port", &c.ControlPort}, {"hb_port", &c.HBPort},
	}
}

// ReadConnection reads and checks a connection file. Every error is one
// sentence that names the file.
func ReadConnection(path string) (Connection, error) {
	data, err := readSmall(path)
	if err != nil {
		return Connection{}, fmt.Errorf("wire: connection file: %w", err)
	}
	c, err := parseConnection(data)
	if err != nil {
		return Connection{}, fmt.Errorf("wire: connection file %s: %w", path, err)
	}
	return c, nil
}

// readSmall reads a file that must be small.
func readSmall(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: Jupyter writes it before it starts a kernel", path)
	}
	if err != nil {
		return nil, err
	}
	if st.IsDir() || st.Size() > maxConnectionFile {
		return nil, fmt.Errorf("%s is not a connection file (a folder, or more than 1 MiB)", path)
	}
	return os.ReadFile(path)
}

// parseConnection reads the JSON of a connection file and checks it.
func parseConnection(data []byte) (Connection, error) {
	var c Connection
	if err := json.Unmarshal(data, &c); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return Connection{}, fmt.Errorf("%q cannot be a %s", kind.Field, kind.Value)
		}
		return Connection{}, fmt.Errorf("broken JSON: %w", err)
	}
	var key struct{ Key *string }
	if json.Unmarshal(data, &key); key.Key == nil {
		return Connection{}, errors.New(`no "key": write "key": "" to allow unsigned messages`)
	}
	if c.Transport == "" {
		c.Transport = "tcp"
	}
	if c.SignatureScheme == "" {
		c.SignatureScheme = schemeSHA256
	}
	return c, c.check()
}

// check says what is wrong with c in one sentence.
func (c Connection) check() error {
	if c.Transport != "tcp" {
		return fmt.Errorf(`transport %q is not supported: use "tcp"`, c.Transport)
	}
	if c.IP == "" || c.IP == "*" {
		return fmt.Errorf(`ip %q is not one address: name it, such as "127.0.0.1"`, c.IP)
	}
	if c.SignatureScheme != schemeSHA256 {
		return fmt.Errorf("signature_scheme %q is not supported: use %q", c.SignatureScheme, schemeSHA256)
	}
	seen := map[int]string{}
	for _, p := range c.ports() {
		if *p.port < 1 || *p.port > 65535 {
			return fmt.Errorf("%s is %d: want 1 to 65535", p.name, *p.port)
		}
		if other, ok := seen[*p.port]; ok {
			return fmt.Errorf("%s and %s are both %d", other, p.name, *p.port)
		}
		seen[*p.port] = p.name
	}
	return nil
}

// Write writes c as a connection file that only its owner can read, replacing
// the file in one step.
func (c Connection) Write(path string) error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("wire: connection file: %w", err)
	}
	// CreateTemp makes the file with mode 0600.
	f, err := os.CreateTemp(filepath.Dir(path), ".connection-*")
	if err != nil {
		return fmt.Errorf("wire: connection file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(data, '\n'))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("wire: connection file %s: %w", path, err)
	}
	return nil
}

// address is the host and port to bind or to dial.
func (c Connection) address(port int) string {
	return net.JoinHostPort(c.IP, strconv.Itoa(port))
}
