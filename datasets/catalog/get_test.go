package catalog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chestlab/chest/datasets"
)

// published is a file and the server that offers it.
type published struct {
	data   []byte
	server *httptest.Server
	ranges []string // of the requests
	handle http.HandlerFunc
}

// offer starts a server of 100,000 bytes; nil means one that knows ranges.
func offer(t *testing.T, handle func(p *published) http.HandlerFunc) *published {
	p := &published{data: bytes.Repeat([]byte("0123456789"), 10_000)}
	p.handle = func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "x.zip", time.Time{}, bytes.NewReader(p.data))
	}
	if handle != nil {
		p.handle = handle(p)
	}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.ranges = append(p.ranges, r.Header.Get("Range"))
		p.handle(w, r)
	}))
	t.Cleanup(p.server.Close)
	return p
}

// download describes the file.
func (p *published) download() datasets.Download {
	sum := sha256.Sum256(p.data)
	return datasets.Download{File: "x.zip", URL: p.server.URL + "/x.zip", Bytes: int64(len(p.data)), SHA256: hex.EncodeToString(sum[:])}
}

// arrived says whether the file is in dir, whole, without its part.
func (p *published) arrived(dir string) bool {
	got, err := os.ReadFile(filepath.Join(dir, "x.zip"))
	_, left := os.Lstat(filepath.Join(dir, "x.zip.part"))
	return err == nil && bytes.Equal(got, p.data) && os.IsNotExist(left)
}

func TestGet(t *testing.T) {
	p, dir := offer(t, nil), t.TempDir()
	s := datasets.Source{Name: "x", Title: "X", Folders: []string{"X"}, Downloads: []datasets.Download{p.download()}}
	var progress recorder
	folder, err := Get(context.Background(), s, dir, nil, &progress)
	if err != nil || folder != filepath.Join(dir, "X") || !p.arrived(folder) || progress != (recorder{100_000, 100_000, "get x.zip", "100000 of 100000 bytes"}) {
		t.Errorf("%s, %v, %+v", folder, err, progress)
	}
	if _, err := Get(context.Background(), s, dir, nil, nil); err != nil || len(p.ranges) != 1 {
		t.Errorf("%v; a second run asked again: %q", err, p.ranges)
	}
	must(t, os.WriteFile(filepath.Join(folder, "x.zip"), []byte("other"), 0o600))
	if _, err := Get(context.Background(), s, dir, nil, nil); err == nil || !strings.Contains(err.Error(), "is there already, but: its checksum is") || !strings.Contains(err.Error(), "move it away") {
		t.Error(err)
	}
	p.server.Close()
	s.Folders = []string{"Y"}
	_, err = Get(context.Background(), s, dir, nil, nil)
	if _, left := os.Lstat(filepath.Join(dir, "Y")); err == nil || !os.IsNotExist(left) {
		t.Errorf("without a server: %v; its folder: %v", err, left)
	}
	for _, s := range datasets.Sources() {
		if s.Downloads == nil {
			if _, err := Get(context.Background(), s, dir, nil, nil); !errors.Is(err, datasets.ErrNoData) || !strings.Contains(err.Error(), s.Page) || !strings.Contains(err.Error(), s.Licence) {
				t.Error(err)
			}
		}
	}
	t.Setenv(datasets.DataVariable, "")
	if _, err := Get(context.Background(), s, "", nil, nil); err == nil || !strings.Contains(err.Error(), "CHEST_DATA is not set; name") {
		t.Error(err)
	}
}

// TestResume: a part goes on by a range; where the server does not know ranges,
// or the part is not of this file, all comes anew.
func TestResume(t *testing.T) {
	plain := func(p *published) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.Write(p.data) }
	}
	other := func(p *published) http.HandlerFunc { // answers another range
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				w.Write(p.data)
				return
			}
			w.Header().Set("Content-Range", "bytes 7-99999/100000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(p.data[7:])
		}
	}
	refuses := func(p *published) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			w.Write(p.data)
		}
	}
	for _, c := range []struct {
		name   string
		handle func(p *published) http.HandlerFunc
		part   int
		asked  string
	}{
		{"ranges", nil, 40_000, `["bytes=40000-"]`}, {"no ranges", plain, 40_000, `["bytes=40000-"]`}, {"other range", other, 40_000, `["bytes=40000-" ""]`},
		{"refused range", refuses, 40_000, `["bytes=40000-" ""]`}, {"all there", nil, 100_000, "[]"}, {"too long", nil, 100_001, `[""]`},
	} {
		p, dir := offer(t, c.handle), t.TempDir()
		part := append(bytes.Clone(p.data), 'x')[:c.part]
		must(t, os.WriteFile(filepath.Join(dir, "x.zip.part"), part, 0o600))
		if err := Fetch(context.Background(), p.download(), dir, nil, nil); err != nil || !p.arrived(dir) || fmt.Sprintf("%q", p.ranges) != c.asked {
			t.Errorf("%s: %v, asked %q, want %s", c.name, err, p.ranges, c.asked)
		}
	}
}

// TestBrokenTransfer: what came before a break is kept and used.
func TestBrokenTransfer(t *testing.T) {
	cut := true
	p := offer(t, func(p *published) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !cut {
				http.ServeContent(w, r, "x.zip", time.Time{}, bytes.NewReader(p.data))
				return
			}
			cut = false
			w.Header().Set("Content-Length", "100000")
			w.Write(p.data[:30_000])
			panic(http.ErrAbortHandler)
		}
	})
	p.server.Config.ErrorLog = nil
	dir := t.TempDir()
	err := Fetch(context.Background(), p.download(), dir, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "30000 of 100000 bytes have come: ") || !strings.Contains(err.Error(), "run again to go on") {
		t.Error(err)
	}
	if err := Fetch(context.Background(), p.download(), dir, nil, nil); err != nil || !p.arrived(dir) || fmt.Sprintf("%q", p.ranges) != `["" "bytes=30000-"]` {
		t.Error(err, p.ranges)
	}
}

// TestHostileServer: other bytes, too many, too few, none: an error that says
// what to do, and no file of that name.
func TestHostileServer(t *testing.T) {
	for _, c := range []struct {
		name   string
		handle http.HandlerFunc
		want   string
		part   bool // stays
	}{
		{"other bytes", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 100_000)) }, "the checksum of what came is", false},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "more than 100000 bytes came", false},
		{"too few", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 5)) }, "5 of 100000 bytes have come: unexpected EOF; run again", true},
		{"gone", http.NotFound, "the server answers 404 Not Found; see whether", false},
		{"loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x.zip", http.StatusFound) }, "stopped after 10 redirects", false},
	} {
		p, dir := offer(t, func(*published) http.HandlerFunc { return c.handle }), t.TempDir()
		err := Fetch(context.Background(), p.download(), dir, nil, nil)
		_, left := os.Lstat(filepath.Join(dir, "x.zip.part"))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), p.server.URL) || (left == nil) != c.part || p.arrived(dir) {
			t.Errorf("%s: %v, part left: %v", c.name, err, left == nil)
		}
	}
	p, dir := offer(t, nil), t.TempDir()
	d := p.download()
	p.server.Close() // as without a network
	if err := Fetch(context.Background(), d, dir, nil, nil); err == nil || !strings.Contains(err.Error(), "without a network fetch the file elsewhere and put it at "+filepath.Join(dir, "x.zip")) {
		t.Error(err)
	}
}

// TestGetStops: the end of the context ends a transfer; what came stays.
func TestGetStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p := offer(t, func(p *published) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			w.Write(p.data[:30_000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	})
	dir := t.TempDir()
	err := Fetch(ctx, p.download(), dir, nil, stopper{cancel})
	st, left := os.Stat(filepath.Join(dir, "x.zip.part"))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "run again to go on") || left != nil || st.Size() == 0 {
		t.Error(err, left)
	}
}
