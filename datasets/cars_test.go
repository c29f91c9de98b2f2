package datasets

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chestlab/chest/internal/matfile"
)

// annotated is a list of annotations of Cars196 with one cell for each field.
func annotated(fields []string, cells ...matfile.Value) []byte {
	return matfile.Write([]matfile.Variable{{Name: "annotations", Value: matfile.Struct(fields, cells)}}, true)
}

// TestCarsDamage spoils cars_annos.mat.
func TestCarsDamage(t *testing.T) {
	dir := toyDir(t, "cars")
	at := filepath.Join(dir, "cars196", "cars_annos.mat")
	good, err := os.ReadFile(at)
	must(t, err)
	text, number := matfile.Text, matfile.Number
	fields := []string{"relative_im_path", "class"}
	one := func(p string, class matfile.Value) []byte { return annotated(fields, text(p), class) }
	const pic = "car_ims/000001.jpg"
	huge := bytes.Clone(good)
	binary.LittleEndian.PutUint32(huge[132:], 0xfffffff0)
	names := func(n int, spoil string) []byte {
		cells := make([]matfile.Value, n)
		for i := range cells {
			cells[i] = text(strings.Repeat("x", i+1))
		}
		cells[3] = text(spoil)
		return matfile.Write([]matfile.Variable{{Name: "annotations", Value: matfile.Struct(fields, []matfile.Value{text(pic), number(1)})}, {Name: "class_names", Value: matfile.Cell(cells)}}, true)
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes"},
		{"no mat", bytes.Repeat([]byte("path,class,test\n"), 30), "no file of version 5"},
		{"HDF5", append([]byte("MATLAB 7.3 MAT-file"), make([]byte, 200)...), "save it in MATLAB with the option -v7"},
		{"cut", good[:len(good)/2], "cut short or broken"},
		{"element of 4 GB", huge, "an element of 4294967280 bytes"},
		{"other variable", matfile.Write([]matfile.Variable{{Name: "x", Value: number(1)}}, false), "no struct array annotations"},
		{"no struct", matfile.Write([]matfile.Variable{{Name: "annotations", Value: number(1)}}, false), "no struct array annotations"},
		{"no element", annotated(fields), "no struct array annotations with elements"},
		{"no path", annotated([]string{"file", "class"}, text(pic), number(1)), `annotations(1): there is no field relative_im_path among ["file" "class"]`},
		{"no class", annotated([]string{"relative_im_path", "kind"}, text(pic), number(1)), "no field class"},
		{"class is text", one(pic, text("x")), "class has 0 numbers"},
		{"class 0", one(pic, number(0)), "class is 0, want 1 to 196"},
		{"class 197", one(pic, number(197)), "class is 197"},
		{"class 1.5", one(pic, number(1.5)), "class is 1.5"},
		{"class 1e300", one(pic, number(1e300)), "class is 1e+300"},
		{"class NaN", one(pic, number(math.NaN())), "class is NaN"},
		{"escape", one("../../etc/passwd", number(1)), "may leave its folder"},
		{"absolute", one("/etc/passwd", number(1)), "is absolute"},
		{"no text", one("", number(1)), "a path of 0 bytes"},
		{"twice", annotated(fields, text(pic), number(1), text(pic), number(1)), "annotations(2): relative_im_path: path \"car_ims/000001.jpg\" stands in cars_annos.mat annotations(1) already"},
		{"missing image", one("car_ims/999999.jpg", number(1)), "image \"car_ims/999999.jpg\": there is no such file"},
		{"missing folder", one("pictures/000001.jpg", number(1)), "there is no folder pictures beside it; unpack"},
		{"train alone", one(pic, number(1)), "no image for cars test"},
		{"few names", names(5, "y"), "class_names has 5 names; want 196"},
		{"name twice", names(196, "x"), `class_names{4} is "x"; want a name of its own`},
		{"control in name", names(196, "a\nb"), `class_names{4} is "a\nb"`},
	} {
		must(t, os.WriteFile(at, c.data, 0o600))
		_, err := Cars196(context.Background(), dir)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "cars196") || !strings.Contains(err.Error(), ";") {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestCarsForms: the devkit without labels says what is missing; its files may
// lie in the folder itself; class names of cars_annos.mat are used.
func TestCarsForms(t *testing.T) {
	dir := toyDir(t, "cars-devkit")
	kit := filepath.Join(dir, "cars196", "devkit")
	labelled := "cars_test_annos_withlabels.mat"
	move := func(from, to string) { must(t, os.Rename(from, to)) }
	move(filepath.Join(kit, labelled), filepath.Join(kit, "cars_test_annos.mat"))
	if _, err := Cars196(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "download "+labelled) {
		t.Error(err)
	}
	want, err := Cars196(context.Background(), toyDir(t, "cars-devkit"))
	must(t, err)
	move(filepath.Join(kit, "cars_test_annos.mat"), filepath.Join(dir, "cars196", labelled)) // a download of its own
	for range 2 {
		b, err := Cars196(context.Background(), dir)
		if err != nil || !slices.Equal(b.Query.Paths, want.Query.Paths) || !slices.Equal(b.Query.Classes, want.Query.Classes) {
			t.Error(b, err)
		}
		list := "cars_train_annos.mat" // the second time in the folder, too
		if _, err := os.Stat(filepath.Join(kit, list)); err == nil {
			move(filepath.Join(kit, list), filepath.Join(dir, "cars196", list))
		}
	}
}
