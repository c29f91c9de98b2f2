package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chestlab/chest/internal/matfile"
	"github.com/chestlab/chest/internal/npy"
	"github.com/chestlab/chest/internal/safetensors"
)

// toys are the makers of MakeToy by name.
var toys = map[string]func(t *toy){
	"cub": toyCUB, "cars": toyCars, "cars-devkit": toyCarsDevkit, "cars-text": toyCarsText,
	"sop": toySOP, "inshop": toyInShop, "folder": toyFolder, "features": toyFeatures,
}

// Toys are the names that MakeToy knows.
func Toys() []string {
	var names []string
	for name := range toys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// MakeToy writes a toy copy of a data set below dir, in the publisher's format
// and a folder of its own, such as dir/CUB_200_2011: a few classes of pictures of
// Blazons, so that the reader of the real data and what follows it can be tried
// without them. The toy of folder lies in dir/toy_folder, that of features in
// dir/toy_features. Names: cub, cars, cars-devkit, cars-text, sop, inshop,
// folder, features.
//
// The same name gives the same bytes, under one version of Go's JPEG encoder.
// A folder that is there already is an error and stays as it is.
func MakeToy(name, dir string) error {
	build, ok := toys[name]
	if !ok {
		return fmt.Errorf("datasets: no toy %s; there are %s", shown(name), strings.Join(Toys(), ", "))
	}
	t := &toy{files: map[string][]byte{}}
	if t.err = t.draw(); t.err == nil {
		build(t)
	}
	if t.err != nil {
		return t.err
	}
	if _, err := os.Lstat(filepath.Join(dir, t.folder)); err == nil {
		return fmt.Errorf("datasets: toy %s: %s is there already; delete it or name another folder", name, filepath.Join(dir, t.folder))
	}
	if err := t.write(dir); err != nil {
		return fmt.Errorf("datasets: toy %s: %w", name, err)
	}
	return nil
}

// write writes all files below dir, or none.
func (t *toy) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(dir, ".toy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for _, file := range t.order {
		at := filepath.Join(work, t.folder, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(at, t.files[file], 0o666); err != nil {
			return err
		}
	}
	return os.Rename(filepath.Join(work, t.folder), filepath.Join(dir, t.folder))
}

// toy is a data set in the making.
type toy struct {
	folder string // below the folder of all data
	files  map[string][]byte
	order  []string
	set    *Set // pictures of the classes, in turn
	err    error
}

// Classes and pictures of a toy.
const (
	toyClasses  = 6
	toyPerClass = 6
	toySide     = 40 // pixels
)

// draw makes the pictures.
func (t *toy) draw() error {
	split, err := Blazons(BlazonsOptions{Orders: 2, Families: 3, Species: 2, PerClass: toyPerClass, Size: toySide, RGB: true, Nuisance: 0.5, Seed: 7})
	if err == nil {
		t.set = split.Train
	}
	return err
}

// put adds a file.
func (t *toy) put(name string, data []byte) {
	t.files[name] = data
	t.order = append(t.order, name)
}

// picture adds picture k of a class, in the format that the name's ending says.
// Every fifth is grey, as a few of CUB-200-2011 are.
func (t *toy) picture(name string, class, k int) {
	var m = t.set.Image(class*toyPerClass + k)
	if (class*toyPerClass+k)%5 == 4 {
		g := image.NewGray(m.Bounds())
		for i := range toySide * toySide {
			g.Set(i%toySide, i/toySide, m.At(i%toySide, i/toySide))
		}
		m = g
	}
	var b bytes.Buffer
	err := errors.New("datasets: toy: no format for " + name)
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg":
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 85})
	case ".png":
		err = png.Encode(&b, m)
	}
	if err != nil {
		t.err = err
	}
	t.put(name, b.Bytes())
}

// each calls do for every picture: its number from 1, class and number in the class.
func (t *toy) each(do func(id, class, k int)) {
	for i := range toyClasses * toyPerClass {
		do(i+1, i/toyPerClass, i%toyPerClass)
	}
}

// half is a class number as benchmarks that are cut by class number have it:
// the first three classes from 1 on, the others from first on.
func half(class, first int) int {
	if class < toyClasses/2 {
		return class + 1
	}
	return class - toyClasses/2 + first
}

func toyCUB(t *toy) {
	t.folder = "CUB_200_2011"
	var images, labels, classes strings.Builder
	t.each(func(id, class, k int) {
		c := half(class, 101)
		name := fmt.Sprintf("%03d.Blazon_%c", c, 'A'+class)
		if k == 0 {
			fmt.Fprintf(&classes, "%d %s\n", c, name)
		}
		p := fmt.Sprintf("%s/Blazon_%c_%04d.jpg", name, 'A'+class, id)
		fmt.Fprintf(&images, "%d %s\n", id, p)
		fmt.Fprintf(&labels, "%d %d\n", id, c)
		t.picture("images/"+p, class, k)
	})
	t.put("images.txt", []byte(images.String()))
	t.put("image_class_labels.txt", []byte(labels.String()))
	t.put("classes.txt", []byte(classes.String()))
}

// carNames are names of 196 models.
func carNames() matfile.Value {
	names := make([]matfile.Value, carClasses)
	for i := range names {
		names[i] = matfile.Text(fmt.Sprintf("Blazon Model %d 2012", i+1))
	}
	return matfile.Cell(names)
}

// carCells are the fields of an annotation, with a box that nothing reads.
func carCells(p string, class int, more ...matfile.Value) []matfile.Value {
	n := matfile.Number
	return append([]matfile.Value{matfile.Text(p), n(1), n(1), n(toySide), n(toySide), n(float64(class))}, more...)
}

func toyCars(t *toy) {
	t.folder = "cars196"
	var cells []matfile.Value
	t.each(func(id, class, k int) {
		p := fmt.Sprintf("car_ims/%06d.jpg", id)
		cells = append(cells, carCells(p, half(class, 99), matfile.Number(float64(id%2)))...)
		t.picture(p, class, k)
	})
	fields := []string{"relative_im_path", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "test"}
	t.put("cars_annos.mat", matfile.Write([]matfile.Variable{
		{Name: "annotations", Value: matfile.Struct(fields, cells)}, {Name: "class_names", Value: carNames()},
	}, true))
}

func toyCarsDevkit(t *toy) {
	t.folder = "cars196"
	var cells [2][]matfile.Value
	t.each(func(id, class, k int) {
		part := id % 2
		p := fmt.Sprintf("%05d.jpg", len(cells[part])/6+1)
		cells[part] = append(cells[part], carCells(p, half(class, 99))...)
		t.picture([]string{"cars_train/", "cars_test/"}[part]+p, class, k)
	})
	for part, name := range []string{"cars_train_annos.mat", "cars_test_annos_withlabels.mat"} {
		var fields = []string{"bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname"}
		rows := slices.Clone(cells[part])
		for i := 0; i < len(rows); i += 6 { // fname stands last here
			first := rows[i]
			copy(rows[i:], rows[i+1:i+6])
			rows[i+5] = first
		}
		t.put("devkit/"+name, matfile.Write([]matfile.Variable{{Name: "annotations", Value: matfile.Struct(fields, rows)}}, true))
	}
	t.put("devkit/cars_meta.mat", matfile.Write([]matfile.Variable{{Name: "class_names", Value: carNames()}}, true))
}

func toyCarsText(t *toy) {
	t.folder = "cars196"
	var rows strings.Builder
	t.each(func(id, class, k int) {
		p := fmt.Sprintf("car_ims/%06d.jpg", id)
		fmt.Fprintf(&rows, "%s,%d,%d\n", p, half(class, 99), id%2)
		t.picture(p, class, k)
	})
	t.put("cars_annos.txt", []byte(rows.String()))
}

func toySOP(t *toy) {
	t.folder = "Stanford_Online_Products"
	lists := [2]strings.Builder{}
	for i := range lists {
		fmt.Fprintln(&lists[i], sopForm)
	}
	kinds := []string{"bicycle", "lamp", "sofa"}
	t.each(func(id, class, k int) {
		kind := class % len(kinds)
		p := fmt.Sprintf("%s_final/%012d_%d.JPG", kinds[kind], 111085122871+class, k)
		fmt.Fprintf(&lists[class*2/toyClasses], "%d %d %d %s\n", id, class+1, kind+1, p)
		t.picture(p, class, k)
	})
	t.put("Ebay_train.txt", []byte(lists[0].String()))
	t.put("Ebay_test.txt", []byte(lists[1].String()))
}

func toyInShop(t *toy) {
	t.folder = "In-shop Clothes Retrieval Benchmark"
	var rows strings.Builder
	fmt.Fprintf(&rows, "%d\n%s\n", toyClasses*toyPerClass, shopForm)
	kinds := []string{"MEN/Denim", "WOMEN/Dresses"}
	t.each(func(id, class, k int) {
		item := fmt.Sprintf("id_%08d", 3*class+2)
		p := fmt.Sprintf("img/%s/%s/%02d_%d_front.jpg", kinds[class%len(kinds)], item, k/2+1, k%2+1)
		status := "train"
		if class >= toyClasses/2 {
			status = []string{"query", "gallery", "gallery"}[k%3]
		}
		fmt.Fprintf(&rows, "%-70s %s %s\n", p, item, status)
		t.picture("Img/"+p, class, k)
	})
	t.put("Eval/list_eval_partition.txt", []byte(rows.String()))
}

func toyFolder(t *toy) {
	t.folder = "toy_folder"
	var rows strings.Builder
	fmt.Fprintln(&rows, "path,split")
	t.each(func(id, class, k int) {
		p := fmt.Sprintf("blazon %c/%02d%s", 'a'+class, k+1, []string{".jpg", ".png"}[k%2])
		split := "train"
		if class >= toyClasses/2 {
			split = []string{"query", "gallery", "gallery"}[k%3]
		}
		fmt.Fprintf(&rows, "%s,%s\n", p, split)
		t.picture(p, class, k)
	})
	t.put("split.csv", []byte(rows.String()))
}

// toyFeatures writes the same features in each format that ReadFeatures knows.
func toyFeatures(t *toy) {
	t.folder = "toy_features"
	const d = 8
	n := toyClasses * toyPerClass
	rng := newRand(7, streamImage)
	centre := make([]float32, toyClasses*d)
	for i := range centre {
		centre[i] = float32(rng.NormFloat64())
	}
	x, labels, splits := make([]float32, n*d), make([]int64, n), make([]string, n)
	split := make([]int64, n)
	for i := range n {
		class := i / toyPerClass
		labels[i] = int64(10 * (class + 1))
		if splits[i] = "train"; class >= toyClasses/2 {
			split[i] = int64(min(i%3+1, 2))
			splits[i] = []string{"query", "gallery"}[split[i]-1]
		}
		for j := range d {
			x[i*d+j] = centre[class*d+j] + 0.3*float32(rng.NormFloat64())
		}
	}
	t.put("features.npy", npy.Float32s(x, n, d))
	t.put("features.labels.npy", npy.Int64s(labels))
	t.put("features.npz", npy.Zip([]npy.Part{{Name: "features", Data: npy.Float32s(x, n, d)}, {Name: "labels", Data: npy.Int64s(labels)}, {Name: "split", Data: npy.Texts(splits)}}))
	var b bytes.Buffer
	t.err = safetensors.Write(&b, nil, []safetensors.Tensor{
		{Name: "features", Shape: []int{n, d}, F32: x}, {Name: "labels", Shape: []int{n}, I64: labels}, {Name: "split", Shape: []int{n}, I64: split}})
	t.put("features.safetensors", b.Bytes())
	var rows strings.Builder
	rows.WriteString("label,split")
	for j := range d {
		fmt.Fprintf(&rows, ",x%d", j)
	}
	for i := range n {
		fmt.Fprintf(&rows, "\n%d,%s", labels[i], splits[i])
		for _, v := range x[i*d : (i+1)*d] {
			fmt.Fprintf(&rows, ",%v", v)
		}
	}
	t.put("features.csv", []byte(rows.String()+"\n"))
}
