package sweep

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/chestlib/train"
)

// Config is a training as data: what a plan varies, what a record keeps, and what
// a process on another machine is told to do. The zero value of a field is the
// default of the options it stands for.
type Config struct {
	Data     string  // name of the data, for a Lookup
	HeldOut  float64 `json:",omitempty"` // share of the training classes that is measured in place of the test classes; 0 means the latter
	Seed     uint64  // of the model, the training and the loss
	Model    model.Options
	Train    Training
	Loss     Choice // a recipe of loss.Recipes and its options; "" is chest
	Optim    Choice // of optim.Recipes; "" is AdamW
	Schedule Choice // of optim.Schedules; "" is cosine
	Until    int    `json:",omitempty"` // epochs after which the run ends and is measured, of a schedule of Train.Epochs; 0 means all
	On       string `json:",omitempty"` // as train.On has it, cuda or auto for example; "" is the processor
	Products string `json:",omitempty"` // as train.Products has it, for runs on a GPU; "" is chest's own
}

// Training is what a plan may set of train.Options.
type Training struct {
	Epochs, Classes, PerClass, Accumulate int     `json:",omitempty"`
	Rate, ProxyRate, HeadRate             float64 `json:",omitempty"`
	Decay, MaxNorm, MaxEntry, Average     float64 `json:",omitempty"`
	Frozen                                int     `json:",omitempty"`
}

// Choice is one of several things that have a name, with options of its own. As
// JSON it is an object of the name and the options, {"Name": "chest", "WeightTree":
// 0}, or the name alone.
type Choice struct {
	Name    string
	Options json.RawMessage // an object; nil means the defaults
}

// UnmarshalJSON reads both forms.
func (c *Choice) UnmarshalJSON(text []byte) error {
	*c = Choice{}
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &c.Name)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("%s: want a name, or an object with a Name and options", text)
	}
	for key, v := range all {
		if strings.EqualFold(key, "Name") {
			if err := json.Unmarshal(v, &c.Name); err != nil {
				return fmt.Errorf("its Name %s is no text", v)
			}
			delete(all, key)
		}
	}
	if len(all) > 0 {
		c.Options, _ = json.Marshal(all) // sorted; of JSON that was read
	}
	return nil
}

// MarshalJSON writes the name alone if there are no options.
func (c Choice) MarshalJSON() ([]byte, error) {
	name, err := json.Marshal(c.Name)
	if err != nil || len(c.Options) == 0 {
		return name, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(c.Options, &all); err != nil {
		return nil, fmt.Errorf("options of %s: %w", c.Name, err)
	}
	all["Name"] = name
	return json.Marshal(all)
}

// ReadConfig reads a config from JSON. Fields that do not exist are an error, and
// so are names and options of losses, optimisers and schedules.
func ReadConfig(text []byte) (c Config, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("sweep: config: %w", err)
	}
	_, err = c.Trial()
	return c, err
}

// Trial is the training that c describes.
func (c Config) Trial() (t Trial, err error) {
	t.Model, t.On, t.Products, t.Until = c.Model, c.On, c.Products, c.Until
	t.Model.Seed = c.Seed
	s := c.Train
	t.Train = train.Options{
		Epochs: s.Epochs, Classes: s.Classes, PerClass: s.PerClass, Accumulate: s.Accumulate,
		Rate: s.Rate, ProxyRate: s.ProxyRate, HeadRate: s.HeadRate,
		Decay: s.Decay, MaxNorm: s.MaxNorm, MaxEntry: s.MaxEntry, Average: s.Average, Frozen: s.Frozen,
		Seed: c.Seed,
	}
	if c.Loss.Name != "" {
		t.Train.Loss, err = loss.Decode(c.Loss.Name, c.Loss.options())
	}
	if err == nil && c.Optim.Name != "" {
		t.Train.Optim, err = optim.Decode(c.Optim.Name, c.Optim.options())
	}
	if err == nil && c.Schedule.Name != "" {
		t.Train.Schedule, err = optim.DecodeSchedule(c.Schedule.Name, c.Schedule.options())
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return t, fmt.Errorf("sweep: config: %w", err)
	}
	return t, nil
}

func (c Choice) options() []byte {
	if len(c.Options) == 0 {
		return []byte("{}")
	}
	return c.Options
}

// devices are what On may be.
var devices = regexp.MustCompile(`^(|cpu|auto|cuda(:[0-9]{1,3})?)$`)

// products are what Products may be.
var products = regexp.MustCompile(`^(|own|cublas|tf32)$`)

// check finds what no options struct looks at.
func (c Config) check() error {
	for what, choice := range map[string]Choice{"Loss": c.Loss, "Optim": c.Optim, "Schedule": c.Schedule} {
		if choice.Name == "" && len(choice.Options) > 0 {
			return fmt.Errorf("%s has options %s but no Name; set %s.Name, or correct the name of the option", what, choice.Options, what)
		}
	}
	switch {
	case c.Until < 0:
		return fmt.Errorf("a negative Until, %d; want a number of epochs, or 0 for all", c.Until)
	case !devices.MatchString(c.On):
		return fmt.Errorf("the device On is %q; want cpu, auto, cuda or cuda: and a number", c.On)
	case !products.MatchString(c.Products):
		return fmt.Errorf("field Products is %q; want own, cublas or tf32", c.Products)
	case c.Products != "" && (c.On == "" || c.On == "cpu"):
		return fmt.Errorf("field Products is %q, for a GPU, and the run is on the processor; set On, to cuda for example", c.Products)
	case c.Data == "":
		return fmt.Errorf("Data is empty; give the name of the data")
	case !(c.HeldOut >= 0 && c.HeldOut < 1):
		return fmt.Errorf("HeldOut %g; want a share of the training classes, at least 0 and less than 1", c.HeldOut)
	case c.Model.Seed != 0:
		return fmt.Errorf("Model.Seed %d; the one Seed of a config is its own", c.Model.Seed)
	}
	return nil
}

// ID is the name of the run: a hash of the config, of the digest of its data and
// of the version of the library's numbers. What is not said in c and what is said
// to be as by default are two runs.
func (c Config) ID(digest string) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic("sweep: " + err.Error()) // it came from JSON
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%s\n", version, digest, text)
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// Set changes the field at a path such as "Train.Rate" or "Loss.Lambda" to a
// value as JSON has it. Case does not matter.
func (c Config) Set(path string, value any) (Config, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return c, err
	}
	var tree map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return c, err
	}
	if err := put(tree, strings.Split(path, "."), value); err != nil {
		return c, fmt.Errorf("sweep: %s: %w", path, err)
	}
	if text, err = json.Marshal(tree); err != nil {
		return c, fmt.Errorf("sweep: %s = %v: %w", path, value, err)
	}
	changed := Config{}
	d = json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&changed); err != nil {
		return c, fmt.Errorf("sweep: %s = %v: %w", path, value, unfit(err))
	}
	return changed, nil
}

// unfit says in the words of a plan why a value does not fit into a Config.
func unfit(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("want a value of type %s, not a %s", kind.Type, kind.Value)
	}
	if strings.HasPrefix(err.Error(), "json: unknown field") {
		return errors.New("there is no such field; sweep.Config and the options of its parts name them all")
	}
	return err
}

// put sets a leaf of JSON, and makes the objects above it.
func put(tree map[string]any, path []string, value any) error {
	key := path[0]
	for k := range tree {
		if strings.EqualFold(k, key) {
			key = k
		}
	}
	if len(path) == 1 {
		tree[key] = value
		return nil
	}
	switch below := tree[key].(type) {
	case map[string]any:
		return put(below, path[1:], value)
	case string: // a choice that is its name alone
		object := map[string]any{"Name": below}
		tree[key] = object
		return put(object, path[1:], value)
	case nil:
		object := map[string]any{}
		tree[key] = object
		return put(object, path[1:], value)
	}
	return fmt.Errorf("%s is a value, not a group of fields", key)
}
