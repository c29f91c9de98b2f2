package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chestlab/chest/chestlib/model"
)

// Config is what decides the bits of a run, as JSON: the model less its weights,
// the labels of the training set, and the options of training, loss and
// optimiser. Two trainers of one Config do the same, but for what a Source
// returns.
func (t *Trainer) Config() string {
	o := t.o
	text, err := json.Marshal(map[string]any{
		"Model": json.RawMessage(t.Model.Description()),
		"Data":  t.data,
		"Train": map[string]any{
			"Epochs": o.Epochs, "Classes": o.Classes, "PerClass": o.PerClass, "Accumulate": o.Accumulate,
			"Rate": o.Rate, "ProxyRate": o.ProxyRate, "HeadRate": o.HeadRate, "MaxNorm": o.MaxNorm, "MaxEntry": o.MaxEntry,
			"Average": o.Average, "Frozen": o.Frozen, "Every": o.Every, "Patience": o.Patience, "Seed": o.Seed,
		},
		"Loss":  recipe{o.Loss.Name(), options(o.Loss)},
		"Optim": recipe{o.Optim.Name(), options(o.Optim)}, "Schedule": recipe{o.Schedule.Name(), options(o.Schedule)},
	})
	if err != nil {
		panic("train: " + err.Error()) // numbers are finite: New has looked
	}
	return string(text)
}

// recipe is a loss's or an optimiser's options with their name.
type recipe struct {
	Name    string
	Options json.RawMessage
}

// options are those of a recipe as JSON; the text of what JSON cannot say.
func options(r any) json.RawMessage {
	text, err := json.Marshal(r)
	if err != nil {
		text, _ = json.Marshal(fmt.Sprintf("%T", r))
	}
	return text
}

// data tells one training set from another by its labels and shape, not by its
// contents.
type data struct {
	Items  int
	Shape  [3]int
	Labels string // a hash
}

func dataOf(src model.Source) data {
	c, h, w := src.Shape()
	sum := sha256.New()
	var b [8]byte
	for i := range src.Len() {
		binary.LittleEndian.PutUint64(b[:], uint64(src.Label(i)))
		sum.Write(b[:])
	}
	return data{src.Len(), [3]int{c, h, w}, hex.EncodeToString(sum.Sum(nil)[:8])}
}

// differ says in what two configs differ beside the epochs: that of a file, and
// this run's.
func differ(file, here string) error {
	if file == here {
		return nil
	}
	var a, b any
	if err := decode(file, &a); err != nil {
		return fmt.Errorf("its config: %w", err)
	}
	if err := decode(here, &b); err != nil {
		return err
	}
	x, y := make(map[string]string), make(map[string]string)
	flatten(x, "", a)
	flatten(y, "", b)
	var found []string
	names := maps.Clone(x)
	maps.Copy(names, y)
	delete(names, "Train.Epochs")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if x[name] != y[name] {
			found = append(found, fmt.Sprintf("%s is %s in the file, %s here", name, orNone(x[name]), orNone(y[name])))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("it belongs to another run: %s", strings.Join(found, "; "))
}

// decode reads JSON with its numbers as they are written.
func decode(text string, to any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	return d.Decode(to)
}

func orNone(text string) string {
	if text == "" {
		return "not set"
	}
	return text
}

// flatten writes the leaves of JSON by their paths.
func flatten(to map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			flatten(to, strings.TrimPrefix(path+"."+k, "."), x)
		}
	case []any:
		for i, x := range v {
			flatten(to, fmt.Sprintf("%s[%d]", path, i), x)
		}
	default:
		to[path] = fmt.Sprint(v)
	}
}
