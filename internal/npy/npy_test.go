package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/numbers"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// quarters is what most of the files of testdata hold, 4×3.
var quarters = []float32{0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75}

// TestOtherProgram reads what NumPy wrote.
func TestOtherProgram(t *testing.T) {
	for _, name := range []string{"c.npy", "fortran.npy", "v2.npy", "v3.npy"} {
		a, err := Read(golden(t, name))
		if err != nil || !slices.Equal(a.Shape, []int{4, 3}) || !slices.Equal(a.Float32s(), quarters) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	for _, c := range []struct{ name, want string }{
		{"labels.npy", "[4] int64 [3 1 3 1]"},
		{"scalar.npy", "[] float16 [2.5]"},
		{"empty.npy", "[0 3] float32 []"},
		{"words.npy", "[4] none [train tést  train]"},
		{"bytes.npy", "[2] none [ab c]"},
	} {
		a, err := Read(golden(t, c.name))
		if err != nil {
			t.Error(c.name, err)
			continue
		}
		got := fmt.Sprint(a.Shape, " ", a.Kind, " ")
		switch {
		case a.Kind == numbers.None:
			got += fmt.Sprint(a.Texts)
		case a.Kind.Float():
			got += fmt.Sprint(a.Float32s())
		default:
			got += fmt.Sprint(a.Int64s())
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// readZip reads all arrays of an .npz file.
func readZip(data []byte, limit int64) (map[string]*numbers.Array, *Archive, error) {
	z, err := OpenZip(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, nil, err
	}
	all := map[string]*numbers.Array{}
	for _, name := range z.Names {
		if all[name], err = z.Array(name, limit); err != nil {
			return nil, nil, err
		}
	}
	return all, z, nil
}

func TestZip(t *testing.T) {
	ours := Zip([]Part{{"features", Float32s(quarters, 4, 3)}, {"labels", Int64s([]int64{3, 1, 3, 1})}, {"split", Texts([]string{"train", "é"})}})
	for name, data := range map[string][]byte{"plain": golden(t, "plain.npz"), "packed": golden(t, "packed.npz"), "ours": ours} {
		all, z, err := readZip(data, 1<<20)
		if err != nil {
			t.Error(name, err)
			continue
		}
		if !slices.Equal(z.Shape("features"), []int{4, 3}) || z.Shape("none") != nil || !slices.IsSorted(z.Names) {
			t.Errorf("%s: %v, shape of features %v", name, z.Names, z.Shape("features"))
		}
		if _, err := z.Array("none", 1<<20); err == nil {
			t.Error("an array that is not there: no error")
		}
		if f := all["features"]; f == nil || !slices.Equal(f.Float32s(), quarters) || !slices.Equal(f.Shape, []int{4, 3}) {
			t.Errorf("%s: features %v", name, f)
		}
		if l := all["labels"]; l == nil || !slices.Equal(l.Int64s(), []int64{3, 1, 3, 1}) {
			t.Errorf("%s: labels %v", name, l)
		}
		if name == "ours" && !slices.Equal(all["split"].Texts, []string{"train", "é"}) {
			t.Errorf("split %q", all["split"].Texts)
		}
	}
	if _, _, err := readZip(ours, 100); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Error(err)
	}
}

// file is a .npy file with that header.
func file(text string, body int) []byte {
	b := binary.LittleEndian.AppendUint16([]byte(magic+"\x01\x00"), uint16(len(text)))
	return append(append(b, text...), make([]byte, body)...)
}

func TestRefuses(t *testing.T) {
	var slip bytes.Buffer
	z := zip.NewWriter(&slip)
	if w, err := z.Create("../x.npy"); err != nil || w == nil {
		t.Fatal(err)
	}
	z.Close()
	if _, _, err := readZip(slip.Bytes(), 1<<20); err == nil || !strings.Contains(err.Error(), "no plain relative path") {
		t.Error(err)
	}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "0 bytes that do not begin"},
		{[]byte("PK\x03\x04 some zip file"), "do not begin"},
		{[]byte(magic + "\x04\x00\x01\x00{}"), "version 4"},
		{[]byte(magic + "\x02\x00\xff\xff\xff\xff{}"), "a header of 4294967295 bytes"},
		{[]byte(magic + "\x02\x00\xff\xff"), "cut short"},
		{golden(t, "c.npy")[:60], "a header of"},
		{golden(t, "c.npy")[:170], "does not fit into 42 bytes"},
		{golden(t, "objects.npy"), "Python objects"},
		{golden(t, "struct.npy"), "the array has records"},
		{file("", 0), "no dictionary"},
		{file("{", 0), "want each of"},
		{file("{}", 0), "is missing"},
		{file("{'descr': '<f4'}", 0), "is missing"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", 8), "unknown key"},
		{file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 8), "once"},
		{file("{'descr': '<f4', 'fortran_order': maybe, 'shape': (2,)}", 8), "want True or False"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': 2}", 8), "want a tuple"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': (x,)}", 8), "whole numbers"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", 8), "negative dimension"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': (2500000000,)}", 8), "does not fit into 8 bytes"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9)}", 8), "too large"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 8), "whole numbers"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': ("+strings.Repeat("1,", 40)+")}", 4), "at most 32"},
		{file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 12), "12 bytes for shape [2]"},
		{file("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", 8), `numbers of type "<c8"`},
		{file("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}", 0), `numbers of type "<U0"`},
		{file("{'descr': '<f4', 'fortran_order': True, 'shape': (1,2,1)}", 8), "ascontiguousarray"},
		{file("{'descr': '|S1', 'fortran_order': False, 'shape': (5000001,)}", 5000001), "want at most 5000000"},
		{file("{'descr': '', 'fortran_order': False, 'shape': (1,)}", 8), "is no text"},
	} {
		_, err := Read(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "npy: ") {
			t.Errorf("%.60q: got %v, want %q", c.data, err, c.want)
		}
	}
}

// TestLimit: what a header promises is checked before anything is read.
func TestLimit(t *testing.T) {
	promise := bytes.NewReader(Float32s(nil, 2_500_000_000, 1))
	if _, err := ReadFile(promise, 10<<30, 1<<30); err == nil || !strings.Contains(err.Error(), "takes 10000000000") {
		t.Error(err)
	}
	if _, err := ReadFile(promise, 10_000_000_000+int64(promise.Len()), 1<<30); err == nil || !strings.Contains(err.Error(), "want at most 1073741824") {
		t.Error(err)
	}
}

// FuzzRead: whatever the bytes, an error or an array that fits its shape.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"c.npy", "fortran.npy", "words.npy", "bytes.npy", "scalar.npy", "v2.npy", "objects.npy", "struct.npy", "plain.npz", "packed.npz"} {
		f.Add(golden(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := Read(data); err == nil {
			if n, err := numbers.Count(a.Shape, a.Kind.Size(), int64(len(data))); a.Kind != numbers.None && (err != nil || n != a.Len() || len(a.Float32s()) != n) {
				t.Errorf("shape %v, %d numbers: %v", a.Shape, a.Len(), err)
			}
		} else if !strings.HasPrefix(err.Error(), "npy: ") {
			t.Errorf("error %q", err)
		}
		if _, _, err := readZip(data, 1<<24); err != nil && !strings.HasPrefix(err.Error(), "npz: ") {
			t.Errorf("error %q", err)
		}
	})
}
