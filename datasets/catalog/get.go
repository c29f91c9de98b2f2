package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chestlab/chest/datasets"
)

// stall is how long a download may bring nothing.
const stall = 60 * time.Second

// Get fetches the files of a data set whose licence allows it into its folder
// below dir; "" means the folder that CHEST_DATA names. For another data set the
// error, which wraps datasets.ErrNoData, says how to get it by hand.
//
// A download that broke off goes on where it stopped: what has come lies in a
// file NAME.part. A file that is whole is not fetched again. The checksum decides
// what is whole. client nil means one that gives up on a server that does not
// answer for half a minute; any download ends if nothing comes for a minute.
func Get(ctx context.Context, s datasets.Source, dir string, client *http.Client, p Progress) (folder string, err error) {
	if s.Downloads == nil {
		return "", fmt.Errorf("%w: %s: chest does not fetch it. %s", datasets.ErrNoData, s.Title, s.Whence())
	}
	if dir == "" {
		dir = os.Getenv(datasets.DataVariable)
	}
	if dir == "" {
		return "", fmt.Errorf("catalog: %s: no folder given and %s is not set; name the folder that all data sets shall lie in", s.Title, datasets.DataVariable)
	}
	folder = filepath.Join(dir, s.Folders[0])
	if _, missing := os.Lstat(folder); missing != nil {
		made := folder
		defer func() {
			if err != nil {
				os.Remove(made) // which does so if nothing has come
			}
		}()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("catalog: %s: %w", s.Title, err)
	}
	for _, d := range s.Downloads {
		if err := Fetch(ctx, d, folder, client, p); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// Fetch fetches one file into folder. See Get.
func Fetch(ctx context.Context, d datasets.Download, folder string, client *http.Client, p Progress) error {
	if p == nil {
		p = silent{}
	}
	if client == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = 30 * time.Second
		client = &http.Client{Transport: t}
	}
	g := fetch{d, filepath.Join(folder, d.File), client, p}
	if done, err := g.there(); done || err != nil {
		return err
	}
	if err := g.download(ctx); err != nil {
		return fmt.Errorf("catalog: %s: %w", d.URL, err)
	}
	return nil
}

// fetch is one file on its way to path.
type fetch struct {
	datasets.Download
	path   string
	client *http.Client
	p      Progress
}

// part is where what has come lies until it is whole.
func (g fetch) part() string { return g.path + ".part" }

// there says whether the whole file is there. Another one is an error.
func (g fetch) there() (bool, error) {
	st, err := os.Lstat(g.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	sum := ""
	if err == nil {
		sum, err = sumFile(g.path)
	}
	if err == nil && sum != g.SHA256 {
		err = fmt.Errorf("its checksum is %.12s…, the published file's is %.12s…", sum, g.SHA256)
	}
	if err != nil {
		return false, fmt.Errorf("catalog: %s is there already, but: %w; move it away and run again", g.path, err)
	}
	return true, nil
}

// sumFile is the checksum of a file.
func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// download goes on with what has come, or begins.
func (g fetch) download(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	from := int64(0)
	if st, err := os.Lstat(g.part()); err == nil {
		if from = st.Size(); !st.Mode().IsRegular() || from > g.Bytes {
			if err := os.Remove(g.part()); err != nil {
				return err
			}
			from = 0
		}
	}
	if from < g.Bytes {
		if err := g.receive(ctx, cancel, from); err != nil {
			return err
		}
	}
	return g.finish()
}

// receive asks for the bytes from from on and appends them to the part.
func (g fetch) receive(ctx context.Context, cancel context.CancelCauseFunc, from int64) error {
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v; run again to go on", stall)) })
	defer watch.Stop()
	body, from, err := g.ask(ctx, from)
	if err != nil {
		return g.why(ctx, err)
	}
	defer body.Close()
	mode := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if from == 0 {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	out, err := os.OpenFile(g.part(), mode, 0o666)
	if err != nil {
		return err
	}
	g.p.Start(int(g.Bytes), "get "+g.File)
	n, err := io.Copy(&meter{out, g.p, from, watch}, io.LimitReader(body, g.Bytes-from+1))
	if e := out.Close(); err == nil {
		err = e
	}
	have := from + n
	g.p.Finish(fmt.Sprintf("%d of %d bytes", have, g.Bytes))
	switch {
	case have > g.Bytes:
		os.Remove(g.part())
		return fmt.Errorf("more than %d bytes came: this is not the published file; see whether the page still offers it", g.Bytes)
	case err != nil || have < g.Bytes:
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("%d of %d bytes have come: %w", have, g.Bytes, g.why(ctx, err))
	}
	return nil
}

// ask sends the request. The server may send all instead of the rest: from is
// where its answer begins.
func (g fetch) ask(ctx context.Context, from int64) (io.ReadCloser, int64, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL, nil)
	if err != nil {
		return nil, 0, err
	}
	q.Header.Set("Accept-Encoding", "identity")
	if from > 0 {
		q.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	a, err := g.client.Do(q)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // the address is told already
	}
	if err != nil {
		return nil, 0, err
	}
	switch {
	case a.StatusCode == http.StatusOK:
		return a.Body, 0, nil
	case a.StatusCode == http.StatusPartialContent && from > 0 && strings.HasPrefix(a.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from)):
		return a.Body, from, nil
	}
	a.Body.Close()
	if from > 0 && (a.StatusCode == http.StatusRequestedRangeNotSatisfiable || a.StatusCode == http.StatusPartialContent) {
		return g.ask(ctx, 0)
	}
	return nil, 0, fmt.Errorf("the server answers %s; see whether the page still offers the file", a.Status)
}

// why says why a transfer ended, and what to do.
func (g fetch) why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
			return fmt.Errorf("stopped: %w; run again to go on", cause)
		}
		return cause
	}
	if strings.Contains(err.Error(), "; ") {
		return err
	}
	return fmt.Errorf("%w; run again to go on, or without a network fetch the file elsewhere and put it at %s", err, g.path)
}

// finish checks what has come and gives it its name.
func (g fetch) finish() error {
	sum, err := sumFile(g.part())
	if err != nil {
		return err
	}
	if sum != g.SHA256 {
		os.Remove(g.part())
		return fmt.Errorf("the checksum of what came is %.12s…, the published file's is %.12s…; it was deleted: run again, and if it stays so the file has changed", sum, g.SHA256)
	}
	return os.Rename(g.part(), g.path)
}

// meter writes, tells the progress, and keeps the watch from ringing.
type meter struct {
	to    io.Writer
	p     Progress
	done  int64
	watch *time.Timer
}

func (m *meter) Write(b []byte) (int, error) {
	n, err := m.to.Write(b)
	m.done += int64(n)
	m.watch.Reset(stall)
	m.p.Set(int(m.done), fmt.Sprintf("%.1f MB", float64(m.done)/1e6))
	return n, err
}
