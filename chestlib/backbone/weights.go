package backbone

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/chestlab/chest/internal/safetensors"
)

// WeightsVariable is the environment variable that names the folder of weights.
const WeightsVariable = "CHEST_WEIGHTS"

// ErrNoWeights says that a file of weights is not there. The error that wraps it
// tells where to get it and where to put it: nothing is ever downloaded.
var ErrNoWeights = errors.New("backbone: no weights")

// published is where the weights of a kind of network come from.
var published = map[string]string{
	"vit": `Weights of ViT-S/16 are published by DINO (Apache-2.0, dino_deitsmall16_pretrain.pth, https://github.com/facebookresearch/dino), ` +
		`DeiT (Apache-2.0, deit_small_patch16_224-cd65a155.pth, https://github.com/facebookresearch/deit) and ` +
		`timm (Apache-2.0, model.safetensors of https://huggingface.co/timm/vit_small_patch16_224.augreg_in21k and its siblings)`,
	"resnet": `Weights of ResNet-50 are published by torchvision (BSD-3-Clause, resnet50-0676ba61.pth, https://github.com/pytorch/vision) and ` +
		`timm (Apache-2.0, model.safetensors of https://huggingface.co/timm/resnet50.a1_in1k and its siblings)`,
}

// conversion makes a file of safetensors of one of PyTorch.
const conversion = `A .pth becomes .safetensors by: python3 -c "import torch, safetensors.torch as s; w = torch.load('F.pth', map_location='cpu'); ` +
	`w = w.get('model', w.get('state_dict', w)); s.save_file({k: v.contiguous() for k, v in w.items()}, 'F.safetensors')"`

// Published says where weights of a network of Names come from, under what
// licence, where to put them, and how a PyTorch file is converted; "" for another
// name.
func Published(name string) string {
	kind := map[string]string{"vit_s16": "vit", "resnet50": "resnet"}[name]
	if kind == "" {
		return ""
	}
	return fmt.Sprintf("%s. Put the file into the folder that %s names; it is looked for nowhere else. %s", published[kind], WeightsVariable, conversion)
}

// help tells how to get weights of a kind.
func help(kind string) string { return published[kind] + ". " + conversion }

// find is the path of a file of weights: a plain name lies in the folder that
// CHEST_WEIGHTS names and nowhere else, anything with a separator is a path.
func find(kind, weights string) (string, error) {
	if weights == "" {
		return "", fmt.Errorf("%w: no file is named. %s", ErrNoWeights, help(kind))
	}
	path := weights
	if weights == filepath.Base(weights) {
		dir := os.Getenv(WeightsVariable)
		if dir == "" {
			return "", fmt.Errorf("%w: %s is to be looked for in the folder that %s names, which is not set: set it and put the file there, or give a path such as ./%s. %s",
				ErrNoWeights, weights, WeightsVariable, weights, help(kind))
		}
		path = filepath.Join(dir, weights)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: there is no %s: put the file there. %s", ErrNoWeights, path, help(kind))
	}
	return path, nil
}

// file is an open file of weights and its checksum.
type file struct {
	*safetensors.File
	path, sum string
	close     func() error
}

// open finds and opens a file of weights. The checksum and the tensors are read
// through one descriptor: they are of the same file.
func open(kind, weights string) (*file, error) {
	path, err := find(kind, weights)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("backbone: weights: %w", err)
	}
	opened, err := read(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	return opened, nil
}

func read(f *os.File, path string) (*file, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("backbone: weights: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("backbone: weights: %s is not an ordinary file; want one of safetensors", path)
	}
	t, err := safetensors.Read(f, st.Size())
	if err != nil {
		if isPickle(f, path) {
			return nil, fmt.Errorf("backbone: weights: %s is a file of PyTorch, not of safetensors. %s", path, conversion)
		}
		return nil, fmt.Errorf("backbone: weights: %s: %w", path, err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, st.Size())); err != nil {
		return nil, fmt.Errorf("backbone: weights: %s: %w", path, err)
	}
	return &file{File: t, path: path, sum: "sha256:" + hex.EncodeToString(sum.Sum(nil)), close: f.Close}, nil
}

// isPickle tells PyTorch's files, zip archives or bare pickles.
func isPickle(f io.ReaderAt, path string) bool {
	var head [4]byte
	f.ReadAt(head[:], 0) // what is not read stays 0
	switch strings.ToLower(filepath.Ext(path)) {
	case ".pth", ".pt", ".bin":
		return true
	}
	return string(head[:]) == "PK\x03\x04"
}
