package wire

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConnectionRoundTrip(t *testing.T) {
	c, err := NewConnection()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Key) != 32 || c.IP != "127.0.0.1" {
		t.Errorf("connection %+v", c)
	}
	path := filepath.Join(t.TempDir(), "c.json")
	for range 2 { // the second time over the first
		if err := c.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: want 0600", st.Mode(), err)
	}
	if got, err := ReadConnection(path); err != nil || got != c {
		t.Errorf("got %+v, %v\nwant %+v", got, err, c)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".connection*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestConnectionErrors(t *testing.T) {
	const ports = `"shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":5`
	const good = `{"ip":"127.0.0.1","key":"k",` + ports + `}`
	cases := []struct{ name, file, want string }{
		{"broken JSON", `{"ip": `, "broken JSON"},
		{"a list", `[]`, "cannot be a array"},
		{"port as text", strings.Replace(good, `"shell_port":1`, `"shell_port":"1"`, 1), `"shell_port" cannot be a string`},
		{"port missing", strings.Replace(good, `,"hb_port":5`, ``, 1), "hb_port is 0: want 1 to 65535"},
		{"port too large", strings.Replace(good, `"hb_port":5`, `"hb_port":70000`, 1), "hb_port is 70000"},
		{"port negative", strings.Replace(good, `"hb_port":5`, `"hb_port":-1`, 1), "hb_port is -1"},
		{"port twice", strings.Replace(good, `"hb_port":5`, `"hb_port":1`, 1), "shell_port and hb_port are both 1"},
		{"no key", strings.Replace(good, `"key":"k",`, ``, 1), `no "key"`},
		{"no address", strings.Replace(good, `"127.0.0.1"`, `""`, 1), `ip ""`},
		{"all addresses", strings.Replace(good, `"127.0.0.1"`, `"*"`, 1), `ip "*"`},
		{"transport", strings.Replace(good, `{`, `{"transport":"ipc",`, 1), `transport "ipc"`},
		{"scheme", strings.Replace(good, `{`, `{"signature_scheme":"hmac-md5",`, 1), `signature_scheme "hmac-md5"`},
	}
	path := filepath.Join(t.TempDir(), "kernel.json")
	for _, c := range cases {
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadConnection(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v\nwant one line with the path and %q", c.name, err, c.want)
		}
	}
	for _, file := range []string{good, strings.Replace(good, `"k"`, `""`, 1)} {
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := ReadConnection(path); err != nil || c.HBPort != 5 || c.Transport != "tcp" || c.SignatureScheme != schemeSHA256 {
			t.Errorf("%s: got %+v, %v", file, c, err)
		}
	}
	if _, err := ReadConnection(path + "x"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("missing file: %v", err)
	}
	if _, err := ReadConnection(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("folder: %v", err)
	}
}
