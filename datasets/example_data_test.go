package datasets_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chestlab/chest/datasets"
)

// A toy in the publisher's format stands in for the real data.
func ExampleCUB() {
	dir, err := os.MkdirTemp("", "chest-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := datasets.MakeToy("cub", dir); err != nil {
		fmt.Println(err)
		return
	}
	b, err := datasets.CUB(context.Background(), dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(b)
	fmt.Println(b.Query.Paths[0], b.Query.Classes[b.Query.Labels[0]])
	// Output:
	// cub train: 18 files, 3 classes
	// cub test: 18 files, 3 classes
	// train has 18 images of 3 classes; published are 5,864 of 100
	// query has 18 images of 3 classes; published are 5,924 of 100
	// 101.Blazon_D/Blazon_D_0019.jpg 101.Blazon_D
}

func ExampleReadFeatures() {
	dir, err := os.MkdirTemp("", "chest-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "shapes.csv")
	if err := os.WriteFile(path, []byte("label,split,width,height\nsquare,train,1,1\noblong,train,2,1\ntower,test,1,3\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	f, err := datasets.ReadFeatures(context.Background(), path, datasets.FeatureOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f, f.Classes)
	fmt.Println(f.Part("query"), f.Row(2))
	// Output:
	// shapes: 3 items of 2 numbers, 3 classes [oblong square tower]
	// shapes query: 1 items of 2 numbers, 1 classes [1 3]
}
