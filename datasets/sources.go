package datasets

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Source is a published data set that chest reads: where it comes from, under
// what licence, and how it lies on the disk.
type Source struct {
	Name    string   // as commands know it: "cub"
	Title   string   // as papers call it
	Folders []string // its folder under the data folder; the first as published
	Marks   []string // files in the folder; one of them says that it is there
	Layout  string   // what lies where in the folder
	Page    string   // of the publisher
	Licence string
	Paper   string
	Counts  []Count // of each part, as published

	// Downloads are the files that chest may fetch: their licence lets anybody
	// pass them on. Nil: the reader has to ask the publisher for the data.
	Downloads []Download
}

// Count is the published size of a part.
type Count struct {
	Part            string // train, query or gallery; "table" of one without parts, as UCI's
	Images, Classes int    // rows instead of images in a table
}

// Download is a file that may be fetched.
type Download struct {
	File   string // its name in the folder
	URL    string
	Bytes  int64
	SHA256 string // in hexadecimal digits
}

const research = "non-commercial research and education only; may not be passed on"

var sources = []Source{
	{
		Name: "cub", Title: "CUB-200-2011",
		Folders: []string{"CUB_200_2011", "CUB-200-2011", "cub"}, Marks: []string{"images.txt"},
		Layout: "images.txt, image_class_labels.txt, classes.txt and images/ of CUB_200_2011.tgz",
		Page:   "https://www.vision.caltech.edu/datasets/cub_200_2011/", Licence: research,
		Paper:  "Wah, Branson, Welinder, Perona, Belongie, The Caltech-UCSD Birds-200-2011 Dataset, 2011",
		Counts: []Count{{"train", 5864, 100}, {"query", 5924, 100}},
	},
	{
		Name: "cars", Title: "Cars196",
		Folders: []string{"cars196", "Cars196", "CARS196", "cars", "stanford_cars"},
		Marks:   []string{"cars_annos.mat", "devkit/cars_train_annos.mat", "cars_train_annos.mat", "cars_annos.txt"},
		Layout:  "cars_annos.mat and car_ims/; or devkit/ with cars_train_annos.mat and cars_test_annos_withlabels.mat, cars_train/ and cars_test/; or cars_annos.txt with lines path,class,test",
		Page:    "https://ai.stanford.edu/~jkrause/cars/car_dataset.html", Licence: research,
		Paper:  "Krause, Stark, Deng, Fei-Fei, 3D Object Representations for Fine-Grained Categorization, 2013",
		Counts: []Count{{"train", 8054, 98}, {"query", 8131, 98}},
	},
	{
		Name: "sop", Title: "Stanford Online Products",
		Folders: []string{"Stanford_Online_Products", "SOP", "sop"}, Marks: []string{"Ebay_train.txt"},
		Layout: "Ebay_train.txt, Ebay_test.txt and the folders *_final/ of Stanford_Online_Products.zip",
		Page:   "https://cvgl.stanford.edu/projects/lifted_struct/", Licence: research,
		Paper:  "Oh Song, Xiang, Jegelka, Savarese, Deep Metric Learning via Lifted Structured Feature Embedding, 2016",
		Counts: []Count{{"train", 59551, 11318}, {"query", 60502, 11316}},
	},
	{
		Name: "inshop", Title: "In-Shop Clothes Retrieval",
		Folders: []string{"In-shop Clothes Retrieval Benchmark", "In-shop_Clothes_Retrieval_Benchmark", "Inshop_Clothes", "inshop"},
		Marks:   []string{"Eval/list_eval_partition.txt", "list_eval_partition.txt"},
		Layout:  "Eval/list_eval_partition.txt and Img/ with img.zip unpacked in it",
		Page:    "https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/InShopRetrieval.html", Licence: research,
		Paper:  "Liu, Luo, Qiu, Wang, Tang, DeepFashion: Powering Robust Clothes Recognition and Retrieval with Rich Annotations, 2016",
		Counts: []Count{{"train", 25882, 3997}, {"query", 14218, 3985}, {"gallery", 12612, 3985}},
	},
	{
		Name: "omniglot", Title: "Omniglot",
		Folders: []string{"omniglot"}, Marks: []string{"images_background_small1.zip"},
		Layout: "images_background_small1.zip and images_background_small2.zip",
		Page:   "https://github.com/brendenlake/omniglot", Licence: "MIT",
		Paper:  "Lake, Salakhutdinov, Tenenbaum, Human-level concept learning through probabilistic program induction, 2015",
		Counts: []Count{{"train", 2720, 136}, {"query", 2120, 106}},
		Downloads: []Download{
			{"images_background_small1.zip", "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/images_background_small1.zip",
				1319022, "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4"},
			{"images_background_small2.zip", "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/images_background_small2.zip",
				1580917, "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f"},
		},
	},
}

// Sources are the published data sets that chest reads: images, and the tables
// of UCI.
func Sources() []Source {
	all := slices.Clone(sources)
	for _, s := range uciSets {
		all = append(all, s.source())
	}
	for i := range all {
		s := &all[i]
		s.Folders, s.Marks = slices.Clone(s.Folders), slices.Clone(s.Marks)
		s.Counts, s.Downloads = slices.Clone(s.Counts), slices.Clone(s.Downloads)
	}
	return all
}

// SourceOf finds a source by its name. Another name is an error that lists them.
func SourceOf(name string) (Source, error) {
	var names []string
	for _, s := range Sources() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Source{}, fmt.Errorf("datasets: no data set %s; there are %s", shown(name), strings.Join(names, ", "))
}

// ReadBenchmark reads a benchmark of image files by the name of its source: cub,
// cars, sop or inshop. See CUB, Cars196, SOP and InShop.
func ReadBenchmark(ctx context.Context, name, dir string) (*Benchmark, error) {
	switch name {
	case "cub":
		return CUB(ctx, dir)
	case "cars":
		return Cars196(ctx, dir)
	case "sop":
		return SOP(ctx, dir)
	case "inshop":
		return InShop(ctx, dir)
	}
	return nil, fmt.Errorf("datasets: no benchmark of image files %s; there are cub, cars, sop and inshop", shown(name))
}

// Whence says in a sentence how to get the data and where to put them.
func (s Source) Whence() string {
	return fmt.Sprintf("Get it from %s (%s), put its files (%s) into a folder %s, and set %s to the folder above it or give it as the argument dir",
		s.Page, s.Licence, s.Layout, s.Folders[0], DataVariable)
}

// differ says in which parts b differs from the published counts.
func (s Source) differ(b *Benchmark) (notes []string) {
	parts := map[string]*Files{"train": b.Train, "query": b.Query, "gallery": b.Gallery}
	for _, c := range s.Counts {
		f := parts[c.Part]
		images, classes := 0, 0
		if f != nil {
			images, classes = len(f.Paths), f.used()
		}
		if images != c.Images || classes != c.Classes {
			notes = append(notes, fmt.Sprintf("%s has %s images of %s classes; published are %s of %s",
				c.Part, thousands(images), thousands(classes), thousands(c.Images), thousands(c.Classes)))
		}
	}
	return notes
}

// used is the number of classes that have a file.
func (f *Files) used() int {
	seen := make([]bool, len(f.Classes))
	n := 0
	for _, c := range f.Labels {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}
