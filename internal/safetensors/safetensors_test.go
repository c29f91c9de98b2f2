package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// made is a file of a few tensors.
func made(t testing.TB) []byte {
	var b bytes.Buffer
	err := Write(&b, map[string]string{"made by": "a \"test\""}, []Tensor{
		{Name: "w", Shape: []int{2, 3}, F32: []float32{1, 2, 3, -4, 0.5, float32(math.Inf(1))}},
		{Name: "empty", Shape: []int{0, 4}, F32: []float32{}},
		{Name: "label", Shape: []int{3}, I64: []int64{-1, 0, math.MaxInt64}},
		{Name: "scalar", Shape: nil, F32: []float32{7}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, made(t), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
	if f.Meta["made by"] != "a \"test\"" || !reflect.DeepEqual(f.Names, []string{"w", "empty", "label", "scalar"}) {
		t.Errorf("meta %v, names %v", f.Meta, f.Names)
	}
	w, err := f.Float32("w")
	if err != nil || !reflect.DeepEqual(w, []float32{1, 2, 3, -4, 0.5, float32(math.Inf(1))}) {
		t.Error(w, err)
	}
	if kind, shape, ok := f.Shape("w"); kind != "F32" || !ok || !reflect.DeepEqual(shape, []int{2, 3}) {
		t.Error(kind, shape, ok)
	}
	if x, err := f.Float32("empty"); err != nil || len(x) != 0 {
		t.Error(x, err)
	}
	if x, err := f.Float32("scalar"); err != nil || !reflect.DeepEqual(x, []float32{7}) {
		t.Error(x, err)
	}
	if x, err := f.Int64("label"); err != nil || !reflect.DeepEqual(x, []int64{-1, 0, math.MaxInt64}) {
		t.Error(x, err)
	}
	if _, err := f.Float32("label"); err == nil {
		t.Error("integers as floats: no error")
	}
	if _, err := f.Float32("none"); err == nil {
		t.Error("no tensor: no error")
	}
}

// TestEveryByteCounts: a changed byte is found by Read or by Verify, wherever
// it is; only the padding of the header, which says nothing, may change.
func TestEveryByteCounts(t *testing.T) {
	whole := made(t)
	for at := range whole {
		b := bytes.Clone(whole)
		b[at] ^= 1
		f, err := read(b)
		if err == nil {
			err = f.Verify()
		}
		if err == nil && whole[at] != ' ' {
			t.Errorf("byte %d, %q: no error", at, whole[at])
		}
	}
	for n := range whole {
		if _, err := read(whole[:n]); err == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
}

// file is a file with that header and so many bytes of data.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		header string
		data   int
		says   string
	}{
		{`[]`, 0, "want a JSON object"},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16, "two tensors"},
		{`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8, "does not fit"},
		{`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8, "does not fit"},
		{`{"a":{"dtype":"F32","shape":[4611686018427387904,4,2],"data_offsets":[0,8]}}`, 8, "does not fit"},
		{`{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}`, 0, "does not fit"},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 4, "the file at 4"},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 12, "belong to no tensor"},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12, "ends at 0"},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8, "bytes 8 to 0"},
		{`{"a":{"dtype":"F8","shape":[2],"data_offsets":[0,2]}}`, 2, "not known"},
		{`{"a":{"dtype":"F32","shape":["x"],"data_offsets":[0,8]}}`, 8, `tensor "a"`},
		{`{"__metadata__":{"a":1}}`, 0, "__metadata__"},
		{`{"a":`, 0, "header"},
	} {
		if _, err := read(file(c.header, c.data)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", c.header, err, c.says)
		}
	}
	if _, err := read(append(binary.LittleEndian.AppendUint64(nil, 10<<30), "{}"...)); err == nil {
		t.Error("a header of 10 GB: no error")
	}
	for _, bad := range []Tensor{{Name: "", F32: []float32{1}}, {Name: metaKey, F32: []float32{1}}, {Name: "a", Shape: []int{2}, F32: []float32{1}}} {
		if err := Write(new(bytes.Buffer), nil, []Tensor{bad}); err == nil {
			t.Errorf("%+v was written", bad)
		}
	}
	if f, err := read(file(`{}`, 0)); err != nil || f.Verify() == nil {
		t.Error("a file without a checksum is verified", err)
	}
}

// TestHalf compares with the definition, for every number.
func TestHalf(t *testing.T) {
	for b := range 1 << 16 {
		sign, exponent, fraction := 1-2*float64(b>>15), b>>10&31, float64(b&1023)
		want := sign * math.Ldexp(1+fraction/1024, exponent-15)
		switch {
		case exponent == 0:
			want = sign * math.Ldexp(fraction, -24)
		case exponent == 31 && fraction == 0:
			want = sign * math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		}
		if got := float64(half(uint16(b))); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("%#04x is %g, want %g", b, got, want)
		}
	}
}

func TestOtherTypes(t *testing.T) {
	b := file(`{"bf":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]},"h":{"dtype":"F16","shape":[1],"data_offsets":[2,4]},"d":{"dtype":"F64","shape":[1],"data_offsets":[4,12]},"i":{"dtype":"I32","shape":[1],"data_offsets":[12,16]}}`, 0)
	b = binary.LittleEndian.AppendUint16(b, 0x3fc0) // 1.5
	b = binary.LittleEndian.AppendUint16(b, 0xc100) // -2.5
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(0.25))
	b = binary.LittleEndian.AppendUint32(b, 0xfffffffe) // -2
	f, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float32{"bf": 1.5, "h": -2.5, "d": 0.25} {
		if x, err := f.Float32(name); err != nil || len(x) != 1 || x[0] != want {
			t.Errorf("%s: %v %v", name, x, err)
		}
	}
	if x, err := f.Int64("i"); err != nil || x[0] != -2 {
		t.Error(x, err)
	}
}

// FuzzRead: no input makes Read panic or take more memory than the file has.
func FuzzRead(f *testing.F) {
	f.Add(made(f))
	f.Add(file(`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}`, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := read(b)
		if err != nil {
			return
		}
		file.Verify()
		for _, name := range file.Names {
			if x, err := file.Float32(name); err == nil && len(x) > len(b) {
				t.Errorf("%d numbers in %d bytes", len(x), len(b))
			}
			file.Int64(name)
		}
	})
}
