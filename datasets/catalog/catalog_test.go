package catalog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/datasets"
)

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// recorder remembers what a progress was told.
type recorder struct {
	total, most int
	what, end   string
}

func (r *recorder) Start(total int, what string) { r.total, r.what = total, what }
func (r *recorder) Set(done int, _ string)       { r.most = max(r.most, done) }
func (r *recorder) Finish(status string)         { r.end = status }

func TestList(t *testing.T) {
	dir := t.TempDir()
	must(t, datasets.MakeToy("cub", dir), datasets.MakeToy("sop", dir))
	var have []string
	for _, e := range List(dir) {
		if e.Folder != "" {
			have = append(have, e.Source.Name)
		} else if !strings.HasPrefix(e.Would, dir+string(filepath.Separator)) {
			t.Errorf("%s would lie in %s", e.Source.Name, e.Would)
		}
		if info := Info(e.Source); !strings.Contains(info, e.Source.Licence) || !strings.Contains(info, e.Source.Page) || !strings.Contains(info, "as published") {
			t.Error(info)
		}
	}
	if !slices.Equal(have, []string{"cub", "sop"}) {
		t.Errorf("there are %v", have)
	}
	loop := filepath.Join(dir, "cars196")
	must(t, os.Symlink(loop, loop))
	for _, e := range List(dir) {
		if cars := e.Source.Name == "cars"; cars != (e.Err != nil) || cars && e.Folder != "" {
			t.Errorf("a folder that cannot be read: %+v", e)
		}
	}
	t.Setenv(datasets.DataVariable, "")
	for _, e := range List("") {
		if e.Folder != "" || !strings.HasPrefix(e.Would, "$CHEST_DATA") {
			t.Errorf("%+v", e)
		}
	}
}

// TestCheck: a toy is whole; two copies have one checksum, which no thread count
// changes; what is spoilt is a problem that names the file, and changes it.
func TestCheck(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	must(t, datasets.MakeToy("cub", dir), datasets.MakeToy("cub", other))
	var p recorder
	good, err := Check(context.Background(), "cub", dir, &p)
	must(t, err)
	if good.Items != 36 || good.Wrong != 0 || good.Bytes < 20_000 || len(good.Parts) != 2 || len(good.Notes) != 2 || p != (recorder{36, 36, "check CUB-200-2011", "0 problems"}) {
		t.Errorf("%+v, progress %+v", good, p)
	}
	again, err := Check(context.Background(), "cub", other, nil)
	if err != nil || again.SHA256 != good.SHA256 {
		t.Error(again, err)
	}
	images := filepath.Join(dir, "CUB_200_2011", "images")
	at := func(id int, class string) string {
		return filepath.Join(images, class, fmt.Sprintf("Blazon_A_%04d.jpg", id))
	}
	whole, err := os.ReadFile(at(1, "001.Blazon_A"))
	must(t, err)
	var wide bytes.Buffer
	must(t, png.Encode(&wide, image.NewGray(image.Rect(0, 0, 1, 1))))
	huge := wide.Bytes()
	copy(huge[16:], []byte{0, 0, 0x10, 0, 0, 0, 0x10, 1}) // 4096×4097
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	must(t,
		os.WriteFile(at(1, "001.Blazon_A"), whole[:len(whole)/2], 0o600),
		os.WriteFile(at(2, "001.Blazon_A"), nil, 0o600),
		os.WriteFile(at(3, "001.Blazon_A"), []byte("no image"), 0o600),
		os.WriteFile(at(4, "001.Blazon_A"), huge, 0o600),
		os.WriteFile(filepath.Join(images, "101.Blazon_D", "Blazon_D_0019.jpg"), whole, 0o600),
		os.WriteFile(filepath.Join(images, "002.Blazon_B", "Blazon_B_0007.jpg"), whole, 0o600))
	bad, err := Check(context.Background(), "cub", dir, nil)
	must(t, err)
	if bad.Wrong != 4 || len(bad.Problems) != 4 || bad.SHA256 == good.SHA256 || !strings.Contains(fmt.Sprint(bad.Notes), "1 images are in cub train and cub test, byte for byte") {
		t.Fatalf("%+v", bad)
	}
	for i, want := range []string{"a broken image of 40×40: ", "the file is empty; copy", "no JPEG, PNG, GIF or WebP image: ", "an image of 4096×4097 in "} {
		if !strings.Contains(bad.Problems[i], want) || !strings.Contains(bad.Problems[i], at(i+1, "001.Blazon_A")) || !strings.Contains(bad.Problems[i], ";") {
			t.Errorf("problem %d is %q, want %q", i, bad.Problems[i], want)
		}
	}
}

// TestCheckOwn checks a folder of images, a file of features and nothing.
func TestCheckOwn(t *testing.T) {
	dir := t.TempDir()
	must(t, datasets.MakeToy("folder", dir), datasets.MakeToy("features", dir))
	for what, want := range map[string]string{
		"toy_folder": "[folder train: 18 files, 3 classes folder query: 6 files, 3 classes folder gallery: 12 files, 3 classes] 36",
		"toy_features/features.npz": "[features: 36 items of 8 numbers, 6 classes features train: 18 items of 8 numbers, 3 classes " +
			"features query: 6 items of 8 numbers, 3 classes features gallery: 12 items of 8 numbers, 3 classes] 36",
		"toy_features/features.npy": "[features: 36 items of 8 numbers, 6 classes] 36",
	} {
		r, err := Check(context.Background(), filepath.Join(dir, what), "", nil)
		if err != nil || fmt.Sprint(r.Parts, " ", r.Items) != want || len(r.SHA256) != 64 {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
	}
	if _, err := Check(context.Background(), "birds", dir, nil); err == nil || !strings.Contains(err.Error(), `no data set "birds"; there are cub, cars, sop, inshop, omniglot, zoo, iris, glass, or name a folder`) {
		t.Error(err)
	}
	if _, err := Check(context.Background(), "sop", dir, nil); !errors.Is(err, datasets.ErrNoData) {
		t.Error(err)
	}
}

// TestCheckTable checks a table of UCI where List says that it would lie.
func TestCheckTable(t *testing.T) {
	dir := t.TempDir()
	var rows strings.Builder
	for i := range 150 {
		fmt.Fprintf(&rows, "%d.5,3,1,0.2,%s\n", i, []string{"Iris-setosa", "Iris-versicolor", "Iris-virginica"}[i/50])
	}
	for _, e := range List(dir) {
		if e.Source.Name == "iris" {
			must(t, os.MkdirAll(e.Would, 0o700), os.WriteFile(filepath.Join(e.Would, "iris.data"), []byte(rows.String()), 0o600))
			if info := Info(e.Source); !strings.Contains(info, "150 rows of 3 classes, as published") || !strings.Contains(info, "CC BY 4.0") {
				t.Error(info)
			}
		}
	}
	for _, e := range List(dir) {
		if (e.Folder != "") != (e.Source.Name == "iris") {
			t.Errorf("%s is in %q", e.Source.Name, e.Folder)
		}
	}
	r, err := Check(context.Background(), "iris", dir, nil)
	if err != nil || r.Items != 150 || fmt.Sprint(r.Parts) != "[iris: 150 rows of 4 columns, 3 classes]" || len(r.SHA256) != 64 {
		t.Fatalf("%+v, %v", r, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "uci/iris/iris.data"), []byte(strings.Replace(rows.String(), "7.5,3", "7.5,4", 1)), 0o600))
	if other, err := Check(context.Background(), "iris", dir, nil); err != nil || other.SHA256 == r.SHA256 {
		t.Errorf("another table: %+v, %v", other, err)
	}
	if _, err := Check(context.Background(), "zoo", dir, nil); !errors.Is(err, datasets.ErrNoData) {
		t.Error(err)
	}
}

// TestCheckStops: the end of the context ends a check, also amid the images.
func TestCheckStops(t *testing.T) {
	dir := t.TempDir()
	must(t, datasets.MakeToy("sop", dir))
	ctx, cancel := context.WithCancel(context.Background())
	b, err := datasets.SOP(ctx, dir)
	must(t, err)
	if _, err := checkImages(ctx, b, stopper{cancel}); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "sop train: stopped near image") {
		t.Error(err)
	}
}

// stopper is a progress that cancels at the first image.
type stopper struct{ cancel func() }

func (s stopper) Start(int, string) {}
func (s stopper) Set(int, string)   { s.cancel() }
func (s stopper) Finish(string)     {}

// TestCheckOmniglot checks the published archives, where they are.
func TestCheckOmniglot(t *testing.T) {
	if os.Getenv(datasets.DataVariable) == "" {
		t.Skipf("SKIPPED: the real Omniglot is not checked: set %s to the folder that holds it", datasets.DataVariable)
	}
	s, err := datasets.SourceOf("omniglot")
	must(t, err)
	folder, err := s.Find("")
	must(t, err)
	for _, d := range s.Downloads { // what Get would fetch is what lies there
		if done, err := (fetch{Download: d, path: filepath.Join(folder, d.File)}).there(); !done || err != nil {
			t.Error(d.File, done, err)
		}
	}
	r, err := Check(context.Background(), "omniglot", "", nil)
	if err != nil || r.Items != 4840 || len(r.Parts) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}
