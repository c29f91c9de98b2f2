package datasets_test

import (
	"errors"
	"fmt"

	"github.com/chestlab/chest/datasets"
)

func ExampleBlazons() {
	split, err := datasets.Blazons(datasets.BlazonsOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(split)
	train := split.Train
	tree, class := train.Tree(), train.Label(0)
	family := tree.Parent[class]
	fmt.Println(tree.Name[class])
	fmt.Println(tree.Name[family])
	fmt.Println(tree.Name[tree.Parent[family]])
	// Output:
	// Blazons train: 960 images 1×32×32, 48 classes, 16 families, 4 orders
	// Blazons test: 960 images 1×32×32, 48 classes, 16 families, 4 orders
	// heater · paly · three billets · argent on vert and sable
	// heater · paly · billets
	// heater
}

func ExampleSet_HoldOut() {
	split, err := datasets.Blazons(datasets.BlazonsOptions{PerClass: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fit, held := split.Train.HoldOut(0.25, 1)
	fmt.Println(fit)
	fmt.Println(held)
	// Output:
	// Blazons train fit: 180 images 1×32×32, 36 classes, 16 families, 4 orders
	// Blazons train held out: 60 images 1×32×32, 12 classes, 12 families, 4 orders
}

func ExampleOmniglot() {
	_, err := datasets.Omniglot("no such folder", datasets.OmniglotOptions{})
	fmt.Println(errors.Is(err, datasets.ErrNoData))
	// Output: true
}
