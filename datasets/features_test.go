package datasets

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/npy"
	"github.com/chestlab/chest/internal/safetensors"
)

// TestFeatureFormats: each format of the toy holds the same.
func TestFeatureFormats(t *testing.T) {
	dir := filepath.Join(toyDir(t, "features"), "toy_features")
	want, err := ReadFeatures(context.Background(), filepath.Join(dir, "features.npz"), FeatureOptions{})
	must(t, err)
	if want.String() != "features: 36 items of 8 numbers, 6 classes" || fmt.Sprint(want.Classes) != "[10 20 30 40 50 60]" || want.Label(35) != 5 {
		t.Errorf("%s, classes %v", want, want.Classes)
	}
	for _, ending := range []string{".csv", ".safetensors", ".npy"} {
		got, err := ReadFeatures(context.Background(), filepath.Join(dir, "features"+ending), FeatureOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		if ending == ".npy" {
			got.Splits = want.Splits // it has none
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", ending, got, want)
		}
	}
	c, h, w := want.Shape()
	x := make([]float32, c*h*w)
	if err := want.Item(x, 7); err != nil || !slices.Equal(x, want.X[56:64]) || !slices.Equal(x, want.Row(7)) {
		t.Error(x, err)
	}
	query, gallery, train := want.Part("query"), want.Part("gallery"), want.Part("train")
	if query.Len() != 6 || gallery.Len() != 12 || train.Len() != 18 || !slices.Equal(query.Classes, gallery.Classes) ||
		!slices.Equal(query.Classes, []string{"40", "50", "60"}) || !slices.Equal(query.Row(0), want.Row(18)) || query.Label(5) != 2 {
		t.Error(query, gallery, train, query.Classes)
	}
	if none := (&Features{D: 2}).Part("train"); none.Len() != 0 {
		t.Error(none)
	}
	for name, f := range map[string]func(){"item": func() { want.Item(x, 36) }, "dst": func() { want.Item(x[1:], 0) }} {
		if m := panics(f); !strings.HasPrefix(m, "datasets: ") {
			t.Errorf("%s: panic %q", name, m)
		}
	}
	short := &Features{D: 8, X: make([]float32, 7), Labels: []int{0}}
	if err := short.Item(x, 0); err == nil {
		t.Error("short X: no error")
	}
}

// TestTorchFeatures reads a dict of tensors that PyTorch saved.
func TestTorchFeatures(t *testing.T) {
	f, err := ReadFeatures(context.Background(), "../internal/torchfile/testdata/dict.pt", FeatureOptions{})
	if err != nil || f.Len() != 4 || f.D != 3 || f.X[11] != 2.75 || !slices.Equal(f.Labels, []int{1, 0, 1, 0}) || !slices.Equal(f.Classes, []string{"1", "3"}) {
		t.Error(f, err)
	}
	if f, err = ReadFeatures(context.Background(), "../internal/torchfile/testdata/dict.pt", FeatureOptions{Features: "nested.half"}); err != nil || f.X[11] != 2.75 {
		t.Error(f, err)
	}
	labels := filepath.Join(t.TempDir(), "l.npy")
	must(t, os.WriteFile(labels, npy.Int64s([]int64{5, 5, 6, 6}), 0o600))
	if f, err = ReadFeatures(context.Background(), "../internal/torchfile/testdata/tensor.pt", FeatureOptions{LabelsFile: labels}); err != nil || !slices.Equal(f.Labels, []int{0, 0, 1, 1}) {
		t.Error(f, err)
	}
	if _, err = ReadFeatures(context.Background(), "../internal/torchfile/testdata/evil.pt", FeatureOptions{}); err == nil || !strings.Contains(err.Error(), "nothing is ever run; save tensors alone") || !strings.Contains(err.Error(), "evil.pt") {
		t.Error(err)
	}
}

// TestTextLabels: labels that are texts are numbered in their order, numbers as
// numbers, columns by their names.
func TestTextLabels(t *testing.T) {
	for _, c := range []struct{ name, text, classes, labels string }{
		{"texts", "class,a,path\nb,1,x\na,2,y\n10,3,z\n", "[10 a b]", "[2 1 0]"},
		{"numbers", "a,y\n1,10\n1,9\n1,-3\n", "[-3 9 10]", "[2 1 0]"},
		{"padded", "a,y\n1,010\n1,9\n", "[010 9]", "[0 1]"},
		{"quoted, CRLF, BOM", "\ufeffid,label,a\r\n7,\"x, y\", 1.5 \r\n8,w,2\r\n", "[w x, y]", "[1 0]"},
	} {
		path := filepath.Join(t.TempDir(), "x.CSV")
		must(t, os.WriteFile(path, []byte(c.text), 0o600))
		f, err := ReadFeatures(context.Background(), path, FeatureOptions{})
		if err != nil || fmt.Sprint(f.Classes) != c.classes || fmt.Sprint(f.Labels) != c.labels || f.D != 1 {
			t.Errorf("%s: %+v, %v", c.name, f, err)
		}
	}
	path := filepath.Join(t.TempDir(), "x.csv")
	must(t, os.WriteFile(path, []byte("who,part,a\nx,train,1\ny,test,2\n"), 0o600))
	f, err := ReadFeatures(context.Background(), path, FeatureOptions{Labels: "who", Split: "part"})
	if err != nil || !slices.Equal(f.Splits, []string{"train", "query"}) {
		t.Error(f, err)
	}
}

// TestFeatureDamage spoils a CSV file in thirty ways or more.
func TestFeatureDamage(t *testing.T) {
	const head = "label,split,a,b\n"
	good := head + "1,train,1,2\n"
	cases := []struct{ name, text, want string }{
		{"empty", "", "the file is empty; write"},
		{"header alone", head, "no row below the header; write"},
		{"blank lines", "\n\n", "no header; write"},
		{"short row", good + "1,train,1\n", "line 3, column 1: wrong number of fields; want one for each column"},
		{"long row", good + "1,train,1,2,3\n", "line 3, column 1: wrong number of fields"},
		{"other separator", strings.ReplaceAll(good, ",", ";"), "separate columns by commas"},
		{"tabs", strings.ReplaceAll(good, ",", "\t"), "no plain name; write the header"},
		{"no header", "1.5,2,a\n3,4,b\n", `line 1: "1.5" is a number where the name of a column should be; write a header`},
		{"no label", "split,a\ntrain,1\n", "line 1: no column labels, label"},
		{"no number", "label,split\n1,train\n", "line 1: no column of numbers"},
		{"twice in the header", "label,a,a\n1,2,3\n", `line 1: column 3 ("a"): column 2 has this name, too; give`},
		{"no name", "label,a,\n1,2,3\n", `line 1: column 3 (""): no plain name; write`},
		{"no header", "1,train,1,2\n2,train,3,4\n", "line 1: "},
		{"header in Latin-1", "label,a\xe9\n1,2\n", "no plain name; write the header in UTF-8"},
		{"UTF-16", "\xff\xfel\x00,\x00a\x00", "UTF-16; save it as UTF-8"},
		{"text", good + "1,train,1,x\n", `line 3: column 4 ("b"): "x" is no finite number; correct`},
		{"no value", good + "1,train,,2\n", `line 3: column 3 ("a"): "" is no finite number`},
		{"NaN", good + "1,train,NaN,2\n", `"NaN" is no finite number`},
		{"Inf", good + "1,train,-inf,2\n", `"-inf" is no finite number`},
		{"too large", good + "1,train,1e39,2\n", `"1e39" is no finite number`},
		{"two points", good + "1,train,1.2.3,2\n", `"1.2.3" is no finite number`},
		{"decimal comma", good + "1,train,\"1,5\",2\n", `"1,5" is no finite number`},
		{"zero byte", good + "1,train,1\x00,2\n", `"1\x00" is no finite number`},
		{"no text", good + "1,train,1\xff,2\n", "is no finite number"},
		{"empty label", good + ",train,1,2\n", `line 3: column 1 ("label"): "" is no label; want`},
		{"label in Latin-1", good + "\xe9,train,1,2\n", `line 3: column 1 ("label"): "\xe9" is no label`},
		{"control in label", good + "\"a\nb\",train,1,2\n", `line 3: column 1 ("label"): "a\nb" is no label`},
		{"long label", good + strings.Repeat("x", 101) + ",train,1,2\n", "is no label; want a plain name of 1 to 100 bytes"},
		{"split", good + "1,val,1,2\n", `line 3: column 2 ("split"): "val" is no split; want train`},
		{"no split", good + "1,,1,2\n", `"" is no split`},
		{"bare quote", good + "1,train,1\"2,2\n", "line 3, column 10: bare \" in non-quoted-field; write"},
		{"open quote", good + "1,train,\"1,2\n", "line 3"},
		{"quote in quote", good + "1,train,\"1\"2\",2\n", "line 3, column"},
		{"ends of old Macs", strings.ReplaceAll(good, "\n", "\r"), "no plain name"},
		{"cut in a row", good + "1,tra", "line 3, column 1: wrong number of fields"},
	}
	if len(cases) < 30 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, c := range cases {
		path := filepath.Join(t.TempDir(), "x.csv")
		must(t, os.WriteFile(path, []byte(c.text), 0o600))
		_, err := ReadFeatures(context.Background(), path, FeatureOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), ";") {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestArrayDamage spoils files of arrays.
func TestArrayDamage(t *testing.T) {
	dir := t.TempDir()
	x := []float32{1, 2, 3, 4}
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, data, 0o600))
		return path
	}
	npz := func(parts ...any) []byte {
		var all []npy.Part
		for i := 0; i < len(parts); i += 2 {
			all = append(all, npy.Part{Name: parts[i].(string), Data: parts[i+1].([]byte)})
		}
		return npy.Zip(all)
	}
	matrix, labels := npy.Float32s(x, 2, 2), npy.Int64s([]int64{1, 2})
	var slip, bomb, safe bytes.Buffer
	for _, z := range []struct {
		b    *bytes.Buffer
		name string
		data []byte
	}{{&slip, "../features.npy", matrix}, {&bomb, "features.npy", npy.Float32s(make([]float32, 5<<20), 5<<10, 1<<10)}} {
		w := zip.NewWriter(z.b)
		f, err := w.Create(z.name)
		must(t, err)
		_, err = f.Write(z.data)
		must(t, err, w.Close())
	}
	must(t, safetensors.Write(&safe, nil, []safetensors.Tensor{{Name: "features", Shape: []int{2, 2}, F32: x}, {Name: "labels", Shape: []int{2}, F32: []float32{1, 2}}}))
	header := func(prefix string, n uint64) []byte {
		return append(binary.LittleEndian.AppendUint64([]byte(prefix), n), "{}"...)
	}
	nan := float32(math.NaN())
	huge := put("huge.npz", nil)
	sparse := put("sparse.npy", npy.Float32s(nil, 1_750_000_000, 1))
	must(t, os.Truncate(huge, 10<<30), os.Truncate(sparse, 7_000_000_000+int64(len(npy.Float32s(nil, 1_750_000_000, 1)))))
	must(t, os.WriteFile(filepath.Join(dir, "short.labels.npy"), npy.Int64s([]int64{1}), 0o600))
	for _, c := range []struct{ name, path, want string }{
		{"ending", put("x.bin", matrix), `ending ".bin"; want`},
		{"parquet", put("x.parquet", []byte("PAR1")), "files of Parquet are not read; write"},
		{"10 GB", huge, "not a file of at most 8589934592 bytes"},
		{"npy promises what a sparse file has", sparse, "an array of 7000000000 bytes; want at most"},
		{"empty", put("e.npy", nil), "the file is empty"},
		{"no npy", put("n.npy", []byte("some text that is long enough")), "do not begin"},
		{"npy header of 4 GB", put("h.npy", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{}")), "a header of 4294967295 bytes"},
		{"npy of 10 GB", put("g.npy", npy.Float32s(x, 2_500_000_000, 1)), "shape [2500000000 1] of 4 bytes each does not fit into 16 bytes"},
		{"safetensors header of 10 GB", put("h.safetensors", header("", 10<<30)), "a header of 10737418240 bytes"},
		{"safetensors labels", put("l.safetensors", safe.Bytes()), `array "labels" has numbers of type float32; want whole numbers`},
		{"cut", put("c.safetensors", safe.Bytes()[:safe.Len()-3]), "write the file again"},
		{"no zip", put("z.npz", matrix), "no zip file"},
		{"no pt", put("z.pt", []byte("some text")), "no zip file"},
		{"zip slip", put("s.npz", slip.Bytes()), "no plain relative path; the file is broken or hostile"},
		{"zip bomb", put("b.npz", bomb.Bytes()), "bytes unpacked out of"},
		{"pt slip", put("s.pt", slip.Bytes()), "no plain relative path"},
		{"no labels", put("a.npy", matrix), "a.labels.npy; write it"},
		{"few labels", put("short.npy", matrix), "has the shape [1]; want 2, one for each row"},
		{"no label array", put("a.npz", npz("features", matrix)), "there is no array \"labels, label, targets, target, class, y\"; name it in"},
		{"one dimension", put("1.npz", npz("features", labels, "labels", labels)), "has the shape [2]; want n×D"},
		{"no features", put("2.npz", npz("a", matrix, "b", matrix, "labels", labels)), "2 arrays of two dimensions and none is called"},
		{"no row", put("0.npz", npz("features", npy.Float32s(nil, 0, 2), "labels", npy.Int64s(nil))), "has the shape [0 2]"},
		{"texts", put("t.npz", npz("features", labels[:0:0], "labels", labels)), "do not begin"},
		{"not finite", put("f.npz", npz("features", npy.Float32s([]float32{1, 2, nan, 4}, 2, 2), "labels", labels)), `array "features": row 1, column 0 is NaN; want finite`},
		{"split", put("p.npz", npz("features", matrix, "labels", labels, "split", npy.Texts([]string{"train", "val"}))), `array "split": element 1 is "val"; want train`},
		{"split number", put("q.npz", npz("features", matrix, "labels", labels, "split", npy.Int64s([]int64{0, 3}))), `element 1 is "3"`},
		{"label text", put("r.npz", npz("features", matrix, "labels", npy.Texts([]string{"a", "b\n"}))), `element 1 is "b\n"; want a plain name`},
		{"matrix of labels", put("m.npz", npz("features", matrix, "labels", npy.Float32s(x[:2], 1, 2))), "has the shape [1 2]; want 2"},
		{"scalar label", put("u.npz", npz("features", npy.Float32s(x, 1, 4), "labels", npy.Float32s(x[:1]))), "has the shape []; want 1"},
		{"folder", dir + "/", "not a file; name"},
	} {
		_, err := ReadFeatures(context.Background(), c.path, FeatureOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) || !strings.Contains(err.Error(), ";") {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	good := put("good.npz", npz("features", matrix, "labels", labels))
	for _, o := range []FeatureOptions{{Features: "z"}, {Labels: "z"}, {Split: "z"}, {LabelsFile: "z.npy"}, {LabelsFile: good}} {
		if _, err := ReadFeatures(context.Background(), good, o); err == nil || !strings.Contains(err.Error(), ";") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := ReadFeatures(context.Background(), filepath.Join(dir, "none.npz"), FeatureOptions{}); !errors.Is(err, ErrNoData) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ReadFeatures(ctx, good, FeatureOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := readCSV(ctx, strings.NewReader("label,a\n1,2\n"), FeatureOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
