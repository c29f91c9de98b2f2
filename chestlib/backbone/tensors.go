package backbone

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// spec is a tensor that a network wants, by the name of timm and torchvision.
type spec struct {
	name  string
	shape []int
}

func (s spec) size() int {
	n := 1
	for _, d := range s.shape {
		n *= d
	}
	return n
}

// tensors are the numbers of a network's weights by name.
type tensors map[string][]float32

// ignored are the first parts of names of tensors that are beside the features:
// classifiers, projections of self-supervised training, and the token that
// stands for a masked patch.
var ignored = []string{"head", "head_dist", "fc", "classifier", "mask_token"}

// mostFaults is how many faults of a file are listed.
const mostFaults = 1000

// take reads the tensors of specs. Names may all have a prefix, such as
// "module." or "teacher.backbone."; anchor is a tensor by which it is found. fits
// says whether a shape will do where it is not the one that is wanted. All that
// is missing, of another shape or not known is told at once.
func (f *file) take(network, anchor string, specs []spec, fits func(name string, shape []int) bool) (tensors, error) {
	prefix, err := f.prefix(anchor)
	if err != nil {
		return nil, fmt.Errorf("backbone: %s: %w", f.path, err)
	}
	faults := f.faults(prefix, specs, fits)
	if n := len(faults); n > 0 {
		if n > mostFaults {
			faults = append(faults[:mostFaults], fmt.Sprintf("and %d more", n-mostFaults))
		}
		return nil, fmt.Errorf("backbone: %s does not hold the weights of %s (prefix of its names %q):\n\t%s", f.path, network, prefix, strings.Join(faults, "\n\t"))
	}
	t := make(tensors, len(specs))
	for _, s := range specs {
		x, err := f.Float32(prefix + s.name)
		if err != nil {
			return nil, fmt.Errorf("backbone: %s: %w", f.path, err)
		}
		if i := slices.IndexFunc(x, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }); i >= 0 {
			return nil, fmt.Errorf("backbone: %s: %s: entry %d is %g; weights are finite: the file is damaged", f.path, s.name, i, x[i])
		}
		t[s.name] = x
	}
	return t, nil
}

// prefix is what stands before the name anchor in the file.
func (f *file) prefix(anchor string) (string, error) {
	var found []string
	for _, name := range f.Names {
		if p, ok := strings.CutSuffix(name, anchor); ok && (p == "" || strings.HasSuffix(p, ".")) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return "", nil // it will be missing
	case 1:
		return found[0], nil
	}
	slices.Sort(found)
	return "", fmt.Errorf("it holds several networks, with the prefixes %q; keep one of them in the file", found)
}

// faults says what is missing, of the wrong shape or type, and not known.
func (f *file) faults(prefix string, specs []spec, fits func(name string, shape []int) bool) (faults []string) {
	known := make(map[string]bool, len(specs))
	for _, s := range specs {
		known[prefix+s.name] = true
		kind, shape, ok := f.Shape(prefix + s.name)
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("%s: expected %v, found nothing", s.name, s.shape))
		case !slices.Equal(shape, s.shape) && !(fits != nil && fits(s.name, shape)):
			faults = append(faults, fmt.Sprintf("%s: expected %v, found %v", s.name, s.shape, shape))
		case !slices.Contains([]string{"F64", "F32", "F16", "BF16"}, kind):
			faults = append(faults, fmt.Sprintf("%s: expected numbers of F32, F16 or BF16, found %s", s.name, kind))
		}
	}
	for _, name := range f.Names {
		if !known[name] && !beside(prefix, name) {
			_, shape, _ := f.Shape(name)
			faults = append(faults, fmt.Sprintf("%s: expected nothing, found %v", name, shape))
		}
	}
	return faults
}

// beside tells names that do not matter. What is left of a name without the
// prefix, or without as many parts of it as the name has, begins with an ignored
// one.
func beside(prefix, name string) bool {
	if strings.HasSuffix(name, ".num_batches_tracked") {
		return true
	}
	for _, part := range strings.SplitAfter(prefix, ".") {
		rest, ok := strings.CutPrefix(name, part)
		if !ok || part == "" {
			break
		}
		name = rest
	}
	first, _, _ := strings.Cut(name, ".")
	return slices.Contains(ignored, first)
}
