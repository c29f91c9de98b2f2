package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// readers are the readers of image benchmarks by the name of their toys.
var readers = map[string]func(ctx context.Context, dir string) (*Benchmark, error){
	"cub": CUB, "cars": Cars196, "cars-devkit": Cars196, "cars-text": Cars196, "sop": SOP, "inshop": InShop,
	"folder": func(ctx context.Context, dir string) (*Benchmark, error) {
		return Folder(ctx, filepath.Join(dir, "toy_folder"))
	},
}

// toyDir is a folder with a toy in it; each is drawn once.
func toyDir(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	source, ok := drawn.Load(name)
	if !ok {
		if err := MakeToy(name, dir); err != nil {
			t.Fatal(err)
		}
		drawn.Store(name, bytesOf(t, dir))
		return dir
	}
	for file, data := range source.(map[string]string) {
		at := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// drawn is the files of toys by name.
var drawn sync.Map

// TestToys reads each toy: counts, labels, names, and which class each file is of.
func TestToys(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"cub", `CUB-200-2011
cub train: 18 files, 3 classes
[001.Blazon_A 002.Blazon_B 003.Blazon_C] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] CUB_200_2011/images [] [] 001.Blazon_A/Blazon_A_0001.jpg
cub test: 18 files, 3 classes
[101.Blazon_D 102.Blazon_E 103.Blazon_F] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] CUB_200_2011/images [] [] 101.Blazon_D/Blazon_D_0019.jpg
train has 18 images of 3 classes; published are 5,864 of 100
query has 18 images of 3 classes; published are 5,924 of 100
`},
		{"cars", `Cars196
cars train: 18 files, 3 classes
[Blazon Model 1 2012 Blazon Model 2 2012 Blazon Model 3 2012] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] cars196 [] [] car_ims/000001.jpg
cars test: 18 files, 3 classes
[Blazon Model 99 2012 Blazon Model 100 2012 Blazon Model 101 2012] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] cars196 [] [] car_ims/000019.jpg
train has 18 images of 3 classes; published are 8,054 of 98
query has 18 images of 3 classes; published are 8,131 of 98
`},
		{"cars-devkit", `Cars196
cars train: 18 files, 3 classes
[Blazon Model 1 2012 Blazon Model 2 2012 Blazon Model 3 2012] [0 0 0 1 1 1 2 2 2 0 0 0 1 1 1 2 2 2] cars196 [] [] cars_train/00001.jpg
cars test: 18 files, 3 classes
[Blazon Model 99 2012 Blazon Model 100 2012 Blazon Model 101 2012] [0 0 0 1 1 1 2 2 2 0 0 0 1 1 1 2 2 2] cars196 [] [] cars_train/00010.jpg
train has 18 images of 3 classes; published are 8,054 of 98
query has 18 images of 3 classes; published are 8,131 of 98
`},
		{"cars-text", `Cars196
cars train: 18 files, 3 classes
[1 2 3] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] cars196 [] [] car_ims/000001.jpg
cars test: 18 files, 3 classes
[99 100 101] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] cars196 [] [] car_ims/000019.jpg
train has 18 images of 3 classes; published are 8,054 of 98
query has 18 images of 3 classes; published are 8,131 of 98
`},
		{"sop", `Stanford Online Products
sop train: 18 files, 3 classes, 3 superclasses
[1 2 3] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] Stanford_Online_Products [0 1 2] [bicycle lamp sofa] bicycle_final/111085122871_0.JPG
sop test: 18 files, 3 classes, 3 superclasses
[4 5 6] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] Stanford_Online_Products [0 1 2] [bicycle lamp sofa] bicycle_final/111085122874_0.JPG
train has 18 images of 3 classes; published are 59,551 of 11,318
query has 18 images of 3 classes; published are 60,502 of 11,316
`},
		{"inshop", `In-Shop Clothes Retrieval
inshop train: 18 files, 3 classes, 2 superclasses
[id_00000002 id_00000005 id_00000008] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] In-shop Clothes Retrieval Benchmark/Img [0 1 0] [MEN/Denim WOMEN/Dresses] img/MEN/Denim/id_00000002/01_1_front.jpg
inshop query: 6 files, 3 classes, 2 superclasses
[id_00000011 id_00000014 id_00000017] [0 0 1 1 2 2] In-shop Clothes Retrieval Benchmark/Img [1 0 1] [MEN/Denim WOMEN/Dresses] img/WOMEN/Dresses/id_00000011/01_1_front.jpg
inshop gallery: 12 files, 3 classes, 2 superclasses
[id_00000011 id_00000014 id_00000017] [0 0 0 0 1 1 1 1 2 2 2 2] In-shop Clothes Retrieval Benchmark/Img [1 0 1] [MEN/Denim WOMEN/Dresses] img/WOMEN/Dresses/id_00000011/01_2_front.jpg
train has 18 images of 3 classes; published are 25,882 of 3,997
query has 6 images of 3 classes; published are 14,218 of 3,985
gallery has 12 images of 3 classes; published are 12,612 of 3,985
`},
		{"folder", `toy_folder
folder train: 18 files, 3 classes
[blazon a blazon b blazon c] [0 0 0 0 0 0 1 1 1 1 1 1 2 2 2 2 2 2] toy_folder [] [] blazon a/01.jpg
folder query: 6 files, 3 classes
[blazon d blazon e blazon f] [0 0 1 1 2 2] toy_folder [] [] blazon d/01.jpg
folder gallery: 12 files, 3 classes
[blazon d blazon e blazon f] [0 0 0 0 1 1 1 1 2 2 2 2] toy_folder [] [] blazon d/02.png
`},
	} {
		dir := toyDir(t, c.name)
		b, err := readers[c.name](context.Background(), dir)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := b.Name + "\n"
		for _, f := range b.Parts() {
			root, _ := filepath.Rel(dir, f.Root)
			got += fmt.Sprintln(f) + fmt.Sprintln(f.Classes, f.Labels, filepath.ToSlash(root), f.Super, f.Supers, f.Paths[0])
			checkFiles(t, f)
		}
		got += strings.Join(b.Notes, "\n")
		if strings.TrimSpace(got) != strings.TrimSpace(c.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
		if text := b.String(); !strings.HasPrefix(text, b.Train.String()) || strings.Count(text, "\n") != len(b.Parts())+len(b.Notes)-1 {
			t.Errorf("%s: String is %q", c.name, text)
		}
	}
}

// checkFiles opens and decodes every file of a part.
func checkFiles(t *testing.T, f *Files) {
	t.Helper()
	if len(f.Paths) != len(f.Labels) {
		t.Fatalf("%s: %d paths, %d labels", f.Name, len(f.Paths), len(f.Labels))
	}
	for _, p := range f.Paths {
		if !fs.ValidPath(p) {
			t.Errorf("%s: path %q", f.Name, p)
		}
		data, err := os.ReadFile(filepath.Join(f.Root, filepath.FromSlash(p)))
		if err != nil {
			t.Fatal(err)
		}
		if m, _, err := image.Decode(bytes.NewReader(data)); err != nil || m.Bounds().Dx() != toySide {
			t.Errorf("%s: %s: %v", f.Name, p, err)
		}
	}
}

// TestToyTwice: a toy is the same bytes each time, and is not written over
// another; an unknown one is an error.
func TestToyTwice(t *testing.T) {
	for _, name := range Toys() {
		a, b := t.TempDir(), t.TempDir()
		must(t, MakeToy(name, a), MakeToy(name, b))
		if one, two := bytesOf(t, a), bytesOf(t, b); !maps.Equal(one, two) || len(one) < 5 {
			t.Errorf("%s: two toys differ, or %d files are few", name, len(one))
		}
		if err := MakeToy(name, a); err == nil || !strings.Contains(err.Error(), "is there already") {
			t.Errorf("%s: over another: %v", name, err)
		}
	}
	if err := MakeToy("birds", t.TempDir()); err == nil || !strings.Contains(err.Error(), `no toy "birds"; there are cars, cars-devkit,`) {
		t.Error(err)
	}
}

// TestToyIsWholeOrNot: of a toy that cannot be written nothing is left.
func TestToyIsWholeOrNot(t *testing.T) {
	dir := t.TempDir()
	broken := &toy{folder: "X", files: map[string][]byte{"a": nil, "a/b": nil}, order: []string{"a", "a/b"}} // a is a file
	if err := broken.write(dir); err == nil || len(bytesOf(t, dir)) > 0 {
		t.Errorf("error %v, left %v", err, bytesOf(t, dir))
	}
}

// bytesOf is the content of all files below a folder.
func bytesOf(t testing.TB, dir string) map[string]string {
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		all[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestFindsFolders: the data folder, its subfolder by any name, the folder of
// the environment; and none of them.
func TestFindsFolders(t *testing.T) {
	dir := toyDir(t, "cub")
	for _, at := range []string{dir, filepath.Join(dir, "CUB_200_2011")} {
		if _, err := CUB(context.Background(), at); err != nil {
			t.Error(err)
		}
	}
	t.Setenv(DataVariable, dir)
	if _, err := CUB(context.Background(), ""); err != nil {
		t.Error(err)
	}
	if _, err := SOP(context.Background(), ""); !errors.Is(err, ErrNoData) || !strings.Contains(err.Error(), "no Ebay_train.txt in "+dir) ||
		!strings.Contains(err.Error(), "Get it from https://cvgl.stanford.edu") || !strings.Contains(err.Error(), "non-commercial") {
		t.Error(err)
	}
	t.Setenv(DataVariable, "")
	for name, read := range readers {
		if _, err := read(context.Background(), ""); !errors.Is(err, ErrNoData) {
			t.Errorf("%s: %v", name, err)
		}
	}
	link := filepath.Join(t.TempDir(), "cub") // the folder itself may be a link
	if err := os.Symlink(filepath.Join(dir, "CUB_200_2011"), link); err != nil {
		t.Skip("SKIPPED: this system makes no symbolic links:", err)
	}
	if b, err := CUB(context.Background(), filepath.Dir(link)); err != nil || b.Train.Root != filepath.Join(link, "images") {
		t.Error(b, err)
	}
}

func TestReadersStop(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, read := range readers {
		if _, err := read(ctx, toyDir(t, name)); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stopped at image 0 of ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPublishedCounts: a list of the published size says nothing in Notes.
func TestPublishedCounts(t *testing.T) {
	s, err := SourceOf("inshop")
	if err != nil {
		t.Fatal(err)
	}
	files := func(n, classes int) *Files {
		f := &Files{Classes: make([]string, classes)}
		for i := range n {
			f.Paths, f.Labels = append(f.Paths, ""), append(f.Labels, i%classes)
		}
		return f
	}
	b := &Benchmark{Train: files(25882, 3997), Query: files(14218, 3985), Gallery: files(12612, 3985)}
	if notes := s.differ(b); notes != nil {
		t.Error(notes)
	}
	b.Query.Labels[0], b.Query.Labels[3985], b.Query.Labels[2*3985], b.Query.Labels[3*3985] = 1, 1, 1, 1
	b.Gallery = nil
	if notes := fmt.Sprint(s.differ(b)); notes != "[query has 14,218 images of 3,984 classes; published are 14,218 of 3,985 gallery has 0 images of 0 classes; published are 12,612 of 3,985]" {
		t.Error(notes)
	}
}

// TestCUBSkips: files of macOS are skipped and said; a class without files is
// left out and the numbering stays whole.
func TestCUBSkips(t *testing.T) {
	dir := toyDir(t, "cub")
	edit(t, filepath.Join(dir, "CUB_200_2011", "images.txt"), func(s string) string {
		return strings.ReplaceAll(s, "001.Blazon_A/Blazon_A", "001.Blazon_A/._Blazon_A") + "37 101.Blazon_D/._x.jpg\n"
	})
	b, err := CUB(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.Train.Classes, []string{"002.Blazon_B", "003.Blazon_C"}) || len(b.Train.Paths) != 12 || slices.Max(b.Train.Labels) != 1 ||
		!strings.Contains(b.Notes[2], "7 files whose names begin with ._ were skipped") {
		t.Error(b, b.Train.Classes)
	}
}

// edit changes a file.
func edit(t testing.TB, path string, change func(string) string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(change(string(data))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSuperNames: a superclass is named by its folder where that is its kind.
func TestSuperNames(t *testing.T) {
	r := sopReader{supers: map[int]string{1: "lamp"}}
	for _, c := range []struct{ path, want string }{
		{"sofa_final/1.JPG", "sofa"}, {"lamp_final/1.JPG", "7"}, {"some-shoe-P34/1_0.jpg", "7"}, {"1.JPG", "7"}, {"_final/1.JPG", "7"}, {"a/b_final/1.JPG", "a/b"},
	} {
		if got := r.superName(7, c.path); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}

// TestInShopNotes: queries that nothing answers, and kinds that differ, are said.
func TestInShopNotes(t *testing.T) {
	dir := toyDir(t, "inshop")
	list := filepath.Join(dir, "In-shop Clothes Retrieval Benchmark", "Eval", "list_eval_partition.txt")
	edit(t, list, func(s string) string {
		var out []string
		for _, l := range strings.SplitAfter(s, "\n") {
			if strings.Contains(l, "id_00000011 gallery") {
				l = strings.Replace(l, "gallery", "query", 1)
			}
			out = append(out, l)
		}
		return strings.Join(out, "")
	})
	b, err := InShop(context.Background(), dir)
	if err != nil || !strings.Contains(b.Notes[len(b.Notes)-1], "6 query files have no file of their class in the gallery") || len(b.Gallery.Classes) != 3 {
		t.Error(b, err)
	}
}

// TestFolderByClass: without split.csv the first half of the classes trains.
func TestFolderByClass(t *testing.T) {
	dir := filepath.Join(toyDir(t, "folder"), "toy_folder")
	for name, data := range map[string]string{"notes.txt": "x", "blazon a/x.txt": "x", ".hidden.jpg": "x", "blazon b/._x.jpg": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{os.Remove(filepath.Join(dir, "split.csv")), os.RemoveAll(filepath.Join(dir, "blazon f")), os.Mkdir(filepath.Join(dir, "empty"), 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := Folder(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(b.Train.Classes, b.Query.Classes, len(b.Train.Paths), len(b.Query.Paths), b.Gallery, b.Notes); got !=
		"[blazon a blazon b blazon c] [blazon d blazon e] 18 12 <nil> [4 files or folders were skipped: they are not pictures (.jpg .jpeg .png .gif .webp) in the folder of a class]" {
		t.Error(got)
	}
}

// TestFolderNotes: what split.csv leaves out and shares is said.
func TestFolderNotes(t *testing.T) {
	dir := filepath.Join(toyDir(t, "folder"), "toy_folder")
	split := "path,split\nblazon a/01.jpg,train\n\"blazon b/02.png\", train\nblazon a/03.jpg,test\nblazon b/04.png,query\nblazon b/05.jpg,gallery\n"
	if err := os.WriteFile(filepath.Join(dir, "split.csv"), []byte(split), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := Folder(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(b.Train.Labels, b.Query.Labels, b.Gallery.Labels, b.Query.Classes, b.Notes); got !=
		"[0 1] [0 1] [1] [blazon a blazon b] [31 pictures were left out: split.csv does not name them 2 of 2 classes of query or gallery occur in training too: they are not all unseen 1 query files have no file of their class to find]" {
		t.Error(got)
	}
}
