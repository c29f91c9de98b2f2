package torchfile

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

func parse(data []byte) (*File, error) { return Read(bytes.NewReader(data), int64(len(data))) }

// described is all tensors of a file.
func described(f *File) string {
	var b strings.Builder
	for _, name := range f.Names {
		a, err := f.Array(name)
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", name, err)
			continue
		}
		fmt.Fprintf(&b, "%s: %s %v", name, a.Kind, a.Shape)
		if a.Kind.Float() {
			fmt.Fprintln(&b, "", a.Float32s())
		} else {
			fmt.Fprintln(&b, "", a.Int64s())
		}
	}
	return b.String()
}

const quarters = "[0 0.25 0.5 0.75 1 1.25 1.5 1.75 2 2.25 2.5 2.75]"

// TestOtherProgram reads what PyTorch wrote.
func TestOtherProgram(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"tensor.pt", ": float32 [4 3] " + quarters + "\n"},
		{"protocol4.pt", ": float32 [4 3] " + quarters + "\n"},
		{"state.pt", "weight: float32 [2 3] [0 1 2 3 4 5]\nbias: float32 [2] [0 0]\n"},
		{"parameter.pt", "weight: float32 [2 3] [0 1 2 3 4 5]\n"},
		{"dict.pt", "features: float32 [4 3] " + quarters + "\nlabels: int64 [4] [3 1 3 1]\n" +
			"nested.half: float16 [4 3] " + quarters + "\nnested.brain: bfloat16 [4 3] " + quarters + "\n" +
			"list.0: float64 [4 3] " + quarters + "\nlist.1: bool [2] [1 0]\n" +
			"transposed: float32 [3 4] [0 0.75 1.5 2.25 0.25 1 1.75 2.5 0.5 1.25 2 2.75]\n" +
			"part: float32 [2 2] [1 1.25 1.75 2]\nscalar: float32 [] [2.5]\nbytes: uint8 [2] [1 255]\n" +
			"expanded: torchfile: tensor \"expanded\": shape [1000] of 1 bytes each does not fit into 1 bytes, its storage; if it was expanded save x.clone()\n"},
	} {
		f, err := parse(golden(t, c.name))
		if err != nil {
			t.Error(c.name, err)
			continue
		}
		if got := described(f); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.name, got, c.want)
		}
	}
}

// saved is a file of a pickle and storages.
func saved(pickle string, entries ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, parts := 0, append([]string{"x/data.pkl", pickle}, entries...); i < len(parts); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: parts[i], Method: zip.Store})
		if err == nil {
			_, err = w.Write([]byte(parts[i+1]))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// text is a text in a pickle, whole a number.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}
func whole(n int32) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }

// one is a pickle of a tensor of one dimension in a storage "0" of so many floats.
func one(size, offset, d, stride int32) string {
	return "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") +
		whole(size) + "tQ" + whole(offset) + whole(d) + "\x85" + whole(stride) + "\x85\x89)tR."
}

func TestHostile(t *testing.T) {
	numbers4 := strings.Repeat("\x00\x00\x80\x3f", 4)
	good := saved(one(4, 0, 4, 1), "x/data/0", numbers4)
	if f, err := parse(good); err != nil || described(f) != ": float32 [4] [1 1 1 1]\n" {
		t.Fatal(err)
	}
	big := saved(one(4, 0, 4, 1), "x/data/0", "\x3f\x80\x00\x00"+strings.Repeat("\x00", 12), "x/byteorder", "big")
	if f, err := parse(big); err != nil || described(f) != ": float32 [4] [1 0 0 0]\n" {
		t.Error("big endian", err)
	}
	loop := "\x80\x02]q\x00h\x00a." // a list that holds itself
	var wide strings.Builder
	wide.WriteString("\x80\x02]q\x01")
	for range 6 { // each list holds the one before ten times
		wide.WriteString("](" + strings.Repeat("h\x01", 10) + "eq\x01")
	}
	wide.WriteString(".")
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no zip file"},
		{"cut", good[:len(good)-30], "no zip file"},
		{"legacy", golden(t, "legacy.pt"), "before 1.6"},
		{"evil", golden(t, "evil.pt"), `asks for "system" of the Python module "posix"`},
		{"numpy", golden(t, "numpy.pt"), "asks for \"_reconstruct\""},
		{"eval", saved("\x80\x02cbuiltins\neval\n(" + text("1") + "tR."), `asks for "eval"`},
		{"stack global", saved("\x80\x04" + text("os") + text("system") + "\x93."), `asks for "system"`},
		{"bare storage of another module", saved("\x80\x02cos\nFloatStorage\n."), `of the Python module "os"`},
		{"object", saved("\x80\x02(i__main__\nX\n."), "operation 0x69"},
		{"extension", saved("\x80\x02\x82\x01."), "operation 0x82"},
		{"no pickle", bytes.ReplaceAll(good, []byte("data.pkl"), []byte("data.txt")), "no entry data.pkl"},
		{"protocol", saved("\x80\x09."), "protocol 9"},
		{"nothing", saved(""), "ends early"},
		{"no value", saved("\x80\x02."), "nothing is on the stack"},
		{"10 GB text", saved("\x80\x04\x8d" + string(binary.LittleEndian.AppendUint64(nil, 10<<30)) + "x."), "ends early"},
		{"long number", saved("\x80\x02\x8a\xff" + strings.Repeat("x", 255) + "."), "255 bytes"},
		{"memory", saved("\x80\x02h\x05."), "nothing was remembered"},
		{"no mark", saved("\x80\x02t."), "no mark"},
		{"append to text", saved("\x80\x02" + text("a") + "Na."), "where there is none"},
		{"odd dict", saved("\x80\x02}(Nu."), "where there is none"},
		{"no storage", saved(one(4, 0, 4, 1)), "no entry of its storage"},
		{"storage size", saved(one(1<<30, 0, 4, 1), "x/data/0", numbers4), "a storage of 1073741824 numbers"},
		{"negative", saved(one(-4, 0, 4, 1), "x/data/0", numbers4), "a storage that is not described"},
		{"shape", saved(one(4, 0, 5, 1), "x/data/0", numbers4), "does not fit into 4"},
		{"offset", saved(one(4, 1, 4, 1), "x/data/0", numbers4), "leaves its storage"},
		{"stride", saved(one(4, 0, 2, 4), "x/data/0", numbers4), "leaves its storage"},
		{"far stride", saved(one(4, 0, 4, 1<<30), "x/data/0", numbers4), "leaves its storage"},
		{"negative stride", saved(one(4, 0, 4, -1), "x/data/0", numbers4), "do not fit"},
		{"byteorder", saved(one(4, 0, 4, 1), "x/data/0", numbers4, "x/byteorder", "middle"), "want little or big"},
		{"loop", saved(loop), "more than 16 deep"},
		{"wide", saved(wide.String()), "more than 200000 values"},
		{"slip", saved(one(4, 0, 4, 1), "../data/0", numbers4), "no plain relative path"},
		{"two pickles", saved("\x80\x02N.", "y/data.pkl", "\x80\x02N."), "two pickles"},
		{"long pickle", saved(strings.Repeat("N", mostPickle+1)), "want at most"},
		{"names", saved("\x80\x02}(" + text("a") + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\x04tQK\x00)))tRq\x00" + text("a") + "h\x00u."), "two tensors"},
	} {
		f, err := parse(c.data)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = described(f)
		}
		if !strings.Contains(got, c.want) || !strings.Contains(got, "torchfile: ") {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzRead: whatever the bytes, an error or tensors that fit their shapes.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"tensor.pt", "dict.pt", "state.pt", "parameter.pt", "protocol4.pt", "evil.pt", "legacy.pt"} {
		f.Add(golden(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) { check(t, data) })
}

// FuzzPickle is FuzzRead behind the zip file.
func FuzzPickle(f *testing.F) {
	for _, name := range []string{"tensor.pt", "dict.pt", "state.pt", "parameter.pt", "protocol4.pt", "evil.pt"} {
		data := golden(f, name)
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			f.Fatal(err)
		}
		for _, e := range z.File {
			if strings.HasSuffix(e.Name, ".pkl") {
				r, err := e.Open()
				if err != nil {
					f.Fatal(err)
				}
				var b bytes.Buffer
				if _, err := b.ReadFrom(r); err != nil {
					f.Fatal(err)
				}
				f.Add(b.Bytes())
			}
		}
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		check(t, saved(string(code), "x/data/0", strings.Repeat("\x00", 48), "x/data/1", strings.Repeat("\x00", 32)))
	})
}

func check(t *testing.T, data []byte) {
	file, err := parse(data)
	if err != nil {
		if !strings.HasPrefix(err.Error(), "torchfile: ") {
			t.Errorf("error %q", err)
		}
		return
	}
	for _, name := range file.Names {
		a, err := file.Array(name)
		if err != nil {
			continue
		}
		kind, shape, ok := file.Shape(name)
		n, err := numbers.Count(shape, kind.Size(), 1<<40)
		if !ok || err != nil || n != a.Len() || !slices.Equal(shape, a.Shape) {
			t.Errorf("%q: %v %v, %d numbers", name, kind, shape, a.Len())
		}
	}
}
