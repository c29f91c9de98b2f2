package features

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chestlab/chest/chestlib/model"
	"github.com/chestlab/chest/internal/cpu"
)

// Record says what features were made of. Two files of one record and shard have
// the same bytes.
type Record struct {
	Backbone  string // the network and the shape of its images: "vit_s16 on 3×224×224"
	Weights   string // checksum of the weights' file
	Transform string // what the source does to an image, as its Recipe tells; "" if it has none
	Data      string // name of the data set
	Labels    string // checksum of all labels in their order
	Items     int    // of the data set
	Width     int    // features of an item
	Version   string // of the program
	Level     string // vector instructions, "avx512": another level rounds in other places
}

// Recipe is what a source may have beside model.Source: a description of what it
// does to an image (size, crop, filter, mean and deviation), equal for equal
// transforms.
type Recipe interface{ Recipe() string }

// Describe is the record of the features that b makes of src.
func Describe(b Backbone, src model.Source, o Options) Record {
	r := Record{
		Backbone: fmt.Sprintf("%s on %v", b.Name(), b.In()), Weights: b.Weights(), Data: o.Data,
		Labels: labelSum(src.Len(), src.Label), Items: src.Len(), Width: b.Width(), Version: o.Version, Level: cpu.Active().String(),
	}
	if s, ok := src.(Recipe); ok {
		r.Transform = s.Recipe()
	}
	return r
}

// labelSum is a checksum of n labels.
func labelSum(n int, label func(i int) int) string {
	sum := sha256.New()
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint64(b[:0], uint64(label(i)))
		sum.Write(b)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// text is the record as JSON, the same for the same record.
func (r Record) text() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic("features: " + err.Error()) // strings and numbers
	}
	return string(text)
}

// differ says in what the features of a file, r, are other ones than those that
// are wanted. Empty fields of want are not compared, and neither are program
// and level unless bits matters.
func (r Record) differ(want Record, bits bool) error {
	var found []string
	check := func(what, file, here string) {
		if here != "" && file != here {
			found = append(found, fmt.Sprintf("its %s is %s, not %s", what, cmp.Or(file, "not told"), here))
		}
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	check("backbone", r.Backbone, want.Backbone)
	check("weights' checksum", r.Weights, want.Weights)
	check("transform", quoted(r.Transform), quoted(want.Transform))
	check("data set", quoted(r.Data), quoted(want.Data))
	check("number of items", number(r.Items), number(want.Items))
	check("labels' checksum", r.Labels, want.Labels)
	check("number of features", number(r.Width), number(want.Width))
	if bits {
		if r.Version != want.Version {
			check("program", "version "+cmp.Or(r.Version, "not told"), "version "+cmp.Or(want.Version, "not told"))
		}
		check("level of vector instructions", r.Level, want.Level)
		if r.Transform != "" && want.Transform == "" || r.Data != "" && want.Data == "" {
			found = append(found, fmt.Sprintf("its transform is %q and its data set %q, here they are %q and %q", r.Transform, r.Data, want.Transform, want.Data))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("it holds other features: %s", strings.Join(found, "; "))
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%q", text)
}

// Shard is one of Of parts of a data set, of neighbouring items and of about the
// same size. The zero value is all of it.
type Shard struct{ Index, Of int }

// ParseShard reads "0/4", the first of four; "" is all.
func ParseShard(text string) (Shard, error) {
	if text == "" {
		return Shard{}, nil
	}
	var s Shard
	var rest string
	if n, _ := fmt.Sscanf(text+" .", "%d/%d %s", &s.Index, &s.Of, &rest); n != 3 || rest != "." || s.Of == 0 {
		return s, fmt.Errorf("features: shard %q; want INDEX/OF, such as 0/4, the first of four", text)
	}
	return s, s.check()
}

// String is the shard as ParseShard reads it, "0/1" for all.
func (s Shard) String() string { s = s.filled(); return fmt.Sprintf("%d/%d", s.Index, s.Of) }

func (s Shard) filled() Shard {
	if s == (Shard{}) {
		s.Of = 1
	}
	return s
}

func (s Shard) check() error {
	if s = s.filled(); s.Of < 1 || s.Index < 0 || s.Index >= s.Of {
		return fmt.Errorf("features: shard %d of %d; want an index from 0 to %d", s.Index, s.Of, max(s.Of-1, 0))
	}
	return nil
}

// part is the range of items of a shard.
func (s Shard) part(items int) (first, end int) {
	s = s.filled()
	at := func(i int) int { return int(int64(items) * int64(i) / int64(s.Of)) }
	return at(s.Index), at(s.Index + 1)
}
