package unzip

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

// packed is a zip file of names and contents in turn.
func packed(t testing.TB, parts ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = w.Write([]byte(parts[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func entries(b []byte) (map[string]*zip.File, error) {
	return Entries(bytes.NewReader(b), int64(len(b)))
}

func TestRead(t *testing.T) {
	long := strings.Repeat("some text ", 300_000)
	all, err := entries(packed(t, "a/", "", "a/b", "x", "empty", "", "long", long))
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	for name, want := range map[string]string{"a/b": "x", "empty": "", "long": long} {
		if data, err := Read(all[name], 1<<30); err != nil || string(data) != want {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(data), err, len(want))
		}
	}
	if b, err := Begin(all["long"], 4); err != nil || string(b) != "some" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := Read(all["long"], 1000); err == nil || !strings.Contains(err.Error(), "want at most 1000") {
		t.Error(err)
	}
}

func TestRefuses(t *testing.T) {
	for _, name := range []string{"../x", "/x", "a/../../x", `a\x`, "C:/x", "a//b"} {
		if _, err := entries(packed(t, name, "x")); err == nil || !strings.Contains(err.Error(), "no plain relative path") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := entries(packed(t, "a", "x", "a", "y")); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Error(err)
	}
	if _, err := entries([]byte("no zip")); err == nil || !strings.Contains(err.Error(), "no zip file") {
		t.Error(err)
	}
	bomb, err := entries(packed(t, "bomb", strings.Repeat("\x00", freely+1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(bomb["bomb"], 1<<40); err == nil || !strings.Contains(err.Error(), "unpacked out of") {
		t.Error(err)
	}
	bomb["bomb"].UncompressedSize64 = 100 // the directory lies
	if _, err := Read(bomb["bomb"], 1<<40); err == nil {
		t.Error("a size that lies: no error")
	}
}
