package tests

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chromium runs headless Chromium without network on a page of the disk or of a
// server of this process.
func chromium(t *testing.T, page string, args ...string) result {
	t.Helper()
	browser := need(t, "chromium", "google-chrome", "chromium-browser")
	if !strings.HasPrefix(page, "http://127.0.0.1:") {
		abs, err := filepath.Abs(page)
		if err != nil {
			t.Fatal(err)
		}
		page = "file://" + abs
	}
	base := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--proxy-server=127.0.0.1:9", // nothing listens there: no page can reach a network
		"--user-data-dir=" + profile(t), "--virtual-time-budget=10000", "--window-size=1000,9000", "--enable-logging=stderr",
	}
	cmd := exec.Command(browser, append(append(base, args...), page)...)
	r := runCommand(t, cmd, "")
	if r.code != 0 {
		t.Fatalf("chromium: exit %d\n%s", r.code, r.stderr)
	}
	return r
}

// profile is a folder for what a browser keeps. It is removed when the test ends,
// again and again for ten seconds: processes of a browser outlive it and still write.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chest-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			err := os.RemoveAll(dir)
			if err == nil {
				return
			}
			if time.Now().After(end) {
				t.Log(err)
				return
			}
		}
	})
	return dir
}

// TestPageOffline opens the exported page without network: the charts are drawn
// on canvases and the console shows no error.
func TestPageOffline(t *testing.T) {
	_, html := quickstart(t)
	r := chromium(t, html, "--dump-dom")
	if n := strings.Count(r.stdout, "<canvas"); n < 2 {
		t.Errorf("%d canvases in the page; want a curve and a disk", n)
	}
	for _, line := range strings.Split(r.stderr, "\n") {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("browser console: %s", line)
		}
	}
}

// TestPageWithoutScripts opens the exported page with scripts forbidden: the
// pictures are images then.
func TestPageWithoutScripts(t *testing.T) {
	_, html := quickstart(t)
	page, err := os.ReadFile(html)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	off := []byte(`<head><meta http-equiv="Content-Security-Policy" content="script-src 'none'">`)
	if !bytes.Contains(page, []byte("<head>")) {
		t.Fatal("the page has no <head>")
	}
	still := writeFile(t, dir, "still.html", string(bytes.Replace(page, []byte("<head>"), off, 1)))
	shot := filepath.Join(dir, "page.png")
	if dom := chromium(t, still, "--dump-dom").stdout; strings.Contains(dom, "<canvas") {
		t.Fatal("scripts ran; the test shows nothing")
	}
	chromium(t, still, "--screenshot="+shot)
	if n := bytes.Count(page, []byte(`src="data:image/png;base64,`)); n < 3 {
		t.Errorf("%d images in the page; want a contact sheet, a curve and a disk", n)
	}
	// Apart from the pictures only the progress bar and the highlighted code
	// have colours: the curves and the points of the disk are most of them.
	if n := colourful(readPNG(t, shot)); n < 4000 {
		t.Errorf("%d coloured pixels with scripts off; the pictures are missing", n)
	}
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// colourful counts the pixels that are far from grey.
func colourful(m image.Image) (n int) {
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := m.At(x, y).RGBA()
			if max(r, g, bl)-min(r, g, bl) > 0x6000 {
				n++
			}
		}
	}
	return n
}
