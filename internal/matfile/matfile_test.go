package matfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestOtherProgram reads what SciPy wrote.
func TestOtherProgram(t *testing.T) {
	for _, name := range []string{"packed.mat", "plain.mat"} {
		vars, err := Read(golden(t, name))
		if err != nil {
			t.Fatal(name, err)
		}
		a := vars["annotations"]
		if a.Len() != 4 || !slices.Equal(a.Fields, []string{"relative_im_path", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "test"}) {
			t.Fatalf("%s: %d elements, fields %v", name, a.Len(), a.Fields)
		}
		got := ""
		for i := range 4 {
			got += fmt.Sprint(a.Field(i, "relative_im_path").Text, a.Field(i, "bbox_x2").Numbers, a.Field(i, "class").Numbers, a.Field(i, "test").Numbers, "\n")
		}
		if want := "car_ims/000001.jpg[853] [1] [0]\ncar_ims/000002.jpg[441] [1] [1]\ncar_ims/000003.jpg[277] [99] [0]\ncar_ims/000004.jpg[197] [196] [1]\n"; got != want {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
		if a.Field(0, "none") != nil {
			t.Error("a field that is not there")
		}
		names := vars["class_names"]
		if len(names.Cells) != 196 || names.Cells[195].Text != "Make Modèle 196" {
			t.Errorf("%s: class_names: %d, last %q", name, len(names.Cells), names.Cells[len(names.Cells)-1].Text)
		}
		if x := vars["x"]; !slices.Equal(x.Dims, []int{2, 3}) || !slices.Equal(x.Numbers, []float64{0, 3, 1, 4, 2, 5}) {
			t.Errorf("%s: x is %v", name, x)
		}
		if e, f := vars["empty"], vars["flag"]; e.Len() != 0 || !slices.Equal(f.Numbers, []float64{1, 0}) {
			t.Errorf("%s: empty %v, flag %v", name, e, f)
		}
	}
}

// some are the variables of a small file.
func some() []Variable {
	return []Variable{
		{"annotations", Struct([]string{"path", "class"}, []Value{Text("a.jpg"), Number(1), Text("é.jpg"), Number(-2.5)})},
		{"names", Cell([]Value{Text("x"), Number(7)})},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, compress := range []bool{false, true} {
		vars, err := Read(Write(some(), compress))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range some() {
			if !reflect.DeepEqual(vars[v.Name], v.Value) {
				t.Errorf("compress %v: %s is %+v, want %+v", compress, v.Name, vars[v.Name], v.Value)
			}
		}
	}
}

// TestBigEndian reads a file of the other byte order, written by hand.
func TestBigEndian(t *testing.T) {
	be := binary.BigEndian
	b := append(make([]byte, 124), 1, 0, 'M', 'I')
	for _, v := range []uint32{14, 56, 6, 8, 6, 0, 5, 8, 1, 2, 1<<16 | 1, 'x' << 24, 4, 4, 3<<16 | 7, 0} {
		b = be.AppendUint32(b, v)
	}
	vars, err := Read(b)
	if err != nil || !slices.Equal(vars["x"].Numbers, []float64{3, 7}) {
		t.Errorf("%v, %v", vars, err)
	}
}

func TestRefuses(t *testing.T) {
	plain := Write(some()[1:], false)
	at := func(offset int, value uint32) []byte {
		b := bytes.Clone(plain)
		binary.LittleEndian.PutUint32(b[offset:], value)
		return b
	}
	bomb := Write([]Variable{{"x", Value{Dims: []int{1, 9 << 20}, Numbers: make([]float64, 9<<20)}}}, true)
	deep := Number(1)
	for range deepest + 2 {
		deep = Cell([]Value{deep})
	}
	broken := Write(some(), true)
	broken[len(broken)-3]++
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes"},
		{"short", plain[:127], "127 bytes"},
		{"no mat", bytes.Repeat([]byte("x"), 500), "no file of version 5"},
		{"HDF5", append([]byte("MATLAB 7.3 MAT-file"), make([]byte, 200)...), "version 7.3 (HDF5); save it"},
		{"version", at(124, 0x4d490200), "version 0x200"},
		{"10 GB", at(132, 0xffffffff), "4294967295 bytes where"},
		{"array too long", at(132, 1000), "1000 bytes where"},
		{"flags", at(140, 2), "array flags of 2 bytes"},
		{"dims type", at(152, 9), "dimensions: 8 bytes of type 9"},
		{"negative", at(160, 0xffffffff), "-1 is negative"},
		{"huge", at(160, 0x7fffffff), "too large"},
		{"many cells", at(164, 1<<30), "1073741824 arrays in"},
		{"long name", at(172, 80), "a name of 80 bytes"},
		{"cell type", at(184, 13), "type 13; want an array"},
		{"name twice", Write(append(some(), some()...), true), "two variables"},
		{"deep", Write([]Variable{{"d", deep}}, true), "more than 16 deep"},
		{"bomb", bomb, "more than 67108864 bytes unpacked"},
		{"checksum", broken, "compressed element"},
		{"cut", Write(some(), true)[:200], "cut short"},
		{"many arrays", Write([]Variable{{"d", Cell(make([]Value, mostValues))}}, true), "more than"},
	} {
		_, err := Read(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "matfile: ") {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestMemory: a small file that promises much takes little.
func TestMemory(t *testing.T) {
	plain := Write(some()[1:], false)
	binary.LittleEndian.PutUint32(plain[164:], 1<<30)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Read(plain); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were taken for a file of %d", n, len(plain))
	}
}

// FuzzRead: whatever the bytes, an error or values that fit their dimensions.
func FuzzRead(f *testing.F) {
	f.Add(golden(f, "packed.mat"))
	f.Add(golden(f, "plain.mat"))
	f.Add(Write(some(), false))
	f.Add(Write(some(), true))
	f.Fuzz(func(t *testing.T, data []byte) {
		vars, err := Read(data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "matfile: ") {
				t.Errorf("error %q", err)
			}
			return
		}
		for name, v := range vars {
			if v.Fields != nil && len(v.Cells) != v.Len()*len(v.Fields) || v.Numbers != nil && len(v.Numbers) != v.Len() {
				t.Errorf("%s does not fit: %v, %d cells, %d numbers", name, v.Dims, len(v.Cells), len(v.Numbers))
			}
			if v.Fields != nil && v.Len() > 0 {
				v.Field(v.Len()-1, v.Fields[0])
			}
		}
	})
}
