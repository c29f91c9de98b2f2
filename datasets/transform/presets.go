package transform

import (
	"fmt"
	"slices"
	"strings"
)

// preset is what the recipes of one kind of backbone differ in.
type preset struct {
	name      string
	least     float64 // share of the area that a training crop has at least
	normalise Normalise
}

// presets are the recipes of Hyp-ViT and HIER for transformers and ResNet, and
// that of BN-Inception, whose crop is ours: torchvision's default.
var presets = []preset{
	{"vit", 0.2, Half},
	{"deit", 0.2, ImageNet},
	{"dino", 0.2, ImageNet},
	{"resnet", 0.08, ImageNet},
	{"bninception", 0.08, BNInception},
}

// Names are the names that Train and Test know.
func Names() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}

// Train is the training recipe of a backbone: RandomResizedCrop to 224 pixels,
// bicubic, then Flip, then its normalisation.
//
//	vit          area 0.2 to 1   Half         (ViT-S of ImageNet-21k)
//	deit, dino   area 0.2 to 1   ImageNet
//	resnet       area 0.08 to 1  ImageNet
//	bninception  area 0.08 to 1  BNInception
//
// Another name is an error.
//
// Sources: Ermolov et al., "Hyperbolic vision transformers: combining
// improvements in metric learning", 2022; Kim, Jeong, Kwak, "HIER: metric learning
// beyond class labels via hierarchical regularization", 2023.
func Train(name string) (Recipe, error) {
	p, err := presetOf(name)
	if err != nil {
		return Recipe{}, err
	}
	return Recipe{
		Name:      name + " train",
		Steps:     []Step{RandomResizedCrop{Size: 224, Scale: [2]float64{p.least, 1}}, Flip{}},
		Normalise: p.normalise,
	}, nil
}

// Test is the recipe that measures a backbone: Resize to 256 pixels, bicubic,
// CentreCrop to 224, then its normalisation. Names are those of Train.
//
// HIER resizes to 256 everywhere; Hyp-ViT does so for CUB only and to 224
// elsewhere: set Steps[0] to Resize{Size: 224} to repeat its numbers.
func Test(name string) (Recipe, error) {
	p, err := presetOf(name)
	if err != nil {
		return Recipe{}, err
	}
	return Recipe{
		Name:      name + " test",
		Steps:     []Step{Resize{Size: 256}, CentreCrop{Size: 224}},
		Normalise: p.normalise,
	}, nil
}

func presetOf(name string) (preset, error) {
	i := slices.IndexFunc(presets, func(p preset) bool { return p.name == name })
	if i < 0 {
		return preset{}, fmt.Errorf("transform: no recipe %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	return presets[i], nil
}
