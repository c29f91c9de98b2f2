package hyphc

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// randomTree merges nodes at random; tall takes one of the two newest always,
// so that the depth is n.
func randomTree(rng *rand.Rand, n int, tall bool) *Tree {
	nodes := rng.Perm(n)
	var merges []Merge
	height := 0.0
	for len(nodes) > 1 {
		height += float64(rng.IntN(3)) / 2
		i := rng.IntN(len(nodes) - 1)
		if tall {
			i = len(nodes) - 2
		}
		merges = append(merges, Merge{nodes[i], nodes[i+1], height})
		nodes = slices.Replace(nodes, i, i+2, n+len(merges)-1)
	}
	t, err := NewTree(n, merges)
	if err != nil {
		panic(err)
	}
	return t
}

// randomMatrix is similarities in [0,1]; coarse ones have many ties.
func randomMatrix(rng *rand.Rand, n int, coarse bool) *Matrix {
	w := make([]float64, n*n)
	for i := range n {
		for j := range i {
			v := rng.Float64()
			if coarse {
				v = float64(rng.IntN(4)) / 4
			}
			w[i*n+j], w[j*n+i] = v, v
		}
		w[i*n+i] = 1
	}
	m, err := NewMatrix(w, n)
	if err != nil {
		panic(err)
	}
	return m
}

// members lists the leaves below a node from the merges alone.
func members(t *Tree, node int) []int {
	if node < t.Len() {
		return []int{node}
	}
	m := t.Merges()[node-t.Len()]
	return append(members(t, m.A), members(t, m.B)...)
}

// lowest is the smallest node that has both leaves below it.
func lowest(t *Tree, i, j int) int {
	best := t.Nodes() - 1
	for node := range t.Nodes() {
		if below := members(t, node); slices.Contains(below, i) && slices.Contains(below, j) && len(below) < len(members(t, best)) {
			best = node
		}
	}
	return best
}

// eachTree runs f with trees of many sizes and both shapes.
func eachTree(t *testing.T, f func(t *testing.T, rng *rand.Rand, tree *Tree)) {
	for n := 1; n <= 12; n++ {
		for _, tall := range []bool{false, true} {
			rng := rand.New(rand.NewPCG(11, uint64(n)))
			t.Run(fmt.Sprintf("%d leaves, tall %v", n, tall), func(t *testing.T) { f(t, rng, randomTree(rng, n, tall)) })
		}
	}
}

func TestTreeTwin(t *testing.T) {
	eachTree(t, func(t *testing.T, _ *rand.Rand, tree *Tree) {
		n := tree.Len()
		if !slices.Equal(tree.Order(), members(tree, tree.Nodes()-1)) {
			t.Fatalf("order %v, want %v", tree.Order(), members(tree, tree.Nodes()-1))
		}
		for node := range tree.Nodes() {
			below := members(tree, node)
			if tree.Size(node) != len(below) || !slices.Equal(tree.Leaves(node), below) {
				t.Errorf("node %d: %d leaves %v, want %v", node, tree.Size(node), tree.Leaves(node), below)
			}
			if up := tree.Parent(node); up >= 0 && (tree.Merges()[up-n].A != node && tree.Merges()[up-n].B != node || tree.Height(up) < tree.Height(node)) {
				t.Errorf("node %d at %g under %d at %g", node, tree.Height(node), up, tree.Height(up))
			}
		}
		for i := range n {
			for j := range n {
				if got, want := tree.LCA(i, j), lowest(tree, i, j); got != want {
					t.Errorf("LCA(%d,%d) = %d, want %d", i, j, got, want)
				}
			}
		}
	})
}

// TestCut: two leaves are together if they have met before the last k-1 merges.
func TestTreeString(t *testing.T) {
	tree, err := NewTree(3, []Merge{{0, 2, 0.5}, {3, 1, 0.75}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tree.String(), "a tree of 3 leaves, root at height 0.75"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if one, err := NewTree(1, nil); err != nil || one.String() != "a tree of 1 leaves, root at height 0" {
		t.Errorf("of one leaf: %v, %v", one, err)
	}
}

func TestCut(t *testing.T) {
	eachTree(t, func(t *testing.T, _ *rand.Rand, tree *Tree) {
		n := tree.Len()
		for k := 1; k <= n; k++ {
			label := tree.Cut(k)
			next := 0
			for i, c := range label {
				if c > next {
					t.Fatalf("into %d: %v is not numbered in the order of leaves", k, label)
				}
				if c == next {
					next++
				}
				for j := range i {
					if together := lowest(tree, i, j) <= tree.Nodes()-k; together != (label[j] == c) {
						t.Errorf("into %d: leaves %d and %d in %d and %d", k, i, j, c, label[j])
					}
				}
			}
			if next != k {
				t.Errorf("into %d: %d clusters", k, next)
			}
		}
	})
}

// TestScoresTwin: cost and purity are their definitions, pair by pair.
func TestScoresTwin(t *testing.T) {
	eachTree(t, func(t *testing.T, rng *rand.Rand, tree *Tree) {
		n := tree.Len()
		w, class := randomMatrix(rng, n, false), make([]int, n)
		for i := range class {
			class[i] = 7 * rng.IntN(3)
		}
		var cost, purity, pairs float64
		for i := range n {
			for j := range i {
				below := members(tree, lowest(tree, i, j))
				cost += 2 * w.At(i, j) * float64(len(below))
				if class[i] != class[j] {
					continue
				}
				pairs++
				for _, l := range below {
					if class[l] == class[i] {
						purity += 1 / float64(len(below))
					}
				}
			}
		}
		if got, err := tree.Cost(context.Background(), w); err != nil || !closeTo(got, cost, 1e-12) {
			t.Errorf("cost %g, %v, want %g", got, err, cost)
		}
		got, err := tree.Purity(class)
		if pairs == 0 {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("no two of %d leaves", n)) {
				t.Errorf("no pair of one class: %g, %v", got, err)
			}
		} else if err != nil || !closeTo(got, purity/pairs, 1e-12) {
			t.Errorf("purity %g, %v, want %g", got, err, purity/pairs)
		}
	})
}

// asked hides that similarities are Rows or a Matrix.
type asked struct{ Similarities }

// TestCostOfRows: sums of rows give what pairs of rows give, zero rows, equal
// and opposite ones too; so does a matrix of the same.
func TestCostOfRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 0))
	const n, d = 60, 4
	x := make([]float64, n*d)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	clear(x[3*d : 5*d])
	copy(x[7*d:8*d], x[6*d:7*d])
	for j := range d {
		x[9*d+j] = -x[8*d+j]
	}
	r, err := newRows(x, d)
	if err != nil {
		t.Fatal(err)
	}
	r.scaled()
	tree := randomTree(rng, n, false)
	want, err := tree.Cost(context.Background(), asked{r})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tree.Cost(context.Background(), r); err != nil || !closeTo(got, want, 1e-12) {
		t.Errorf("by rows %.15g, %v, by pairs %.15g", got, err, want)
	}
}

func TestNewTreeRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		n      int
		merges []Merge
		want   string
	}{
		{"negative", -1, nil, "0 merges of -1 leaves"},
		{"too few", 3, []Merge{{0, 1, 1}}, "1 merges of 3 leaves"},
		{"too many", 1, []Merge{{0, 0, 1}}, "1 merges of 1 leaves"},
		{"no node", 2, []Merge{{0, -1, 1}}, "merge 0 takes node -1: want one of 0 to 1"},
		{"itself", 3, []Merge{{0, 3, 1}, {1, 2, 1}}, "merge 0 takes node 3: want one of 0 to 2"},
		{"twice", 3, []Merge{{0, 1, 1}, {1, 2, 1}}, "merge 1 takes node 1, which merge 0 has taken"},
		{"with itself", 2, []Merge{{0, 0, 1}}, "merge 0 takes node 0, which merge 0 has taken"},
		{"falling", 3, []Merge{{0, 1, 2}, {2, 3, 1}}, "merge 1 has height 1: want a finite one, not below the 2 of its node 3"},
		{"below leaves", 2, []Merge{{0, 1, -1}}, "height -1"},
		{"NaN", 2, []Merge{{0, 1, math.NaN()}}, "height NaN"},
		{"infinite", 2, []Merge{{0, 1, math.Inf(1)}}, "height +Inf"},
	} {
		if _, err := NewTree(c.n, c.merges); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTinyTrees(t *testing.T) {
	for n, want := range []string{";", "0;", "(0:2,1:2);"} {
		merges := []Merge{{0, 1, 2}}[:max(n-1, 0)]
		tree, err := NewTree(n, merges)
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Newick(nil); got != want || tree.Nodes() != max(2*n-1, 0) || len(tree.Order()) != n || len(tree.Cut(min(n, 1))) != n {
			t.Errorf("%d leaves: %s with %d nodes, order %v", n, got, tree.Nodes(), tree.Order())
		}
	}
	tree := randomTree(rand.New(rand.NewPCG(1, 1)), 3, false)
	for name, f := range map[string]func(){
		"Cut(0)":   func() { tree.Cut(0) },
		"Cut(4)":   func() { tree.Cut(4) },
		"names":    func() { tree.Newick([]string{"a"}) },
		"labels":   func() { _, _ = tree.Purity(nil) },
		"cost":     func() { _, _ = tree.Cost(context.Background(), randomMatrix(rand.New(rand.NewPCG(1, 1)), 2, false)) },
		"matrix":   func() { _, _ = NewMatrix(make([]float64, 3), 2) },
		"rows":     func() { _, _ = Cosine(make([]float32, 3), 2) },
		"no width": func() { _, _ = Standardised(nil, 0) },
		"decode":   func() { _, _ = Decode(context.Background(), make([]float64, 3), 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// TestNewick reads the text back.
func TestNewick(t *testing.T) {
	names := []string{"ant", "sea horse", "O'Hara", "", "a_b", "x(y)", "[z]", "p:q", "r;s", "t,u", "new\nline", "Käfer"}
	eachTree(t, func(t *testing.T, _ *rand.Rand, tree *Tree) {
		text := tree.Newick(names[:tree.Len()])
		p := newickReader{text: text, height: make(map[string]float64)}
		leaves := p.node(0)
		if p.text != ";" || p.err != "" {
			t.Fatalf("%s: %q is left, %s", text, p.text, p.err)
		}
		root := tree.Height(tree.Nodes() - 1)
		for k, i := range tree.Order() {
			if leaves[k] != names[i] {
				t.Errorf("%s: leaf %d is %q, want %q", text, k, leaves[k], names[i])
			}
			if !closeTo(p.height[names[i]], root, 1e-12) {
				t.Errorf("%s: branches to %q sum to %g, want %g", text, names[i], p.height[names[i]], root)
			}
		}
		for node := tree.Len(); node < tree.Nodes(); node++ {
			if below := fmt.Sprintf("%q", namesOf(tree.Leaves(node), names)); !slices.Contains(p.groups, below) {
				t.Errorf("%s: no group %s", text, below)
			}
		}
	})
	for name, want := range map[string]string{"ant": "ant", "O'Hara": "'O''Hara'", "a_b": "'a_b'", "": "''", "a.b-c": "a.b-c"} {
		if got := label(name); got != want {
			t.Errorf("label(%q) = %s, want %s", name, got, want)
		}
	}
}

func namesOf(leaves []int, names []string) (some []string) {
	for _, i := range leaves {
		some = append(some, names[i])
	}
	return some
}

// newickReader reads Newick's format.
type newickReader struct {
	text   string
	err    string
	height map[string]float64 // of the branches above each leaf, summed
	groups []string
}

// node reads a subtree and its branch; it returns the leaves.
func (p *newickReader) node(depth int) (leaves []string) {
	switch {
	case depth > 100 || p.text == "":
		p.err = "too deep or cut short"
		return nil
	case p.text[0] == '(':
		p.text = p.text[1:]
		leaves = p.node(depth + 1)
		for p.text != "" && p.text[0] == ',' {
			p.text = p.text[1:]
			leaves = append(leaves, p.node(depth+1)...)
		}
		p.text = strings.TrimPrefix(p.text, ")")
		p.groups = append(p.groups, fmt.Sprintf("%q", leaves))
	default:
		leaves = []string{p.name()}
	}
	if rest, ok := strings.CutPrefix(p.text, ":"); ok {
		k := strings.IndexAny(rest, ",();")
		v, err := strconv.ParseFloat(rest[:k], 64)
		if err != nil || v < 0 {
			p.err = rest
		}
		for _, l := range leaves {
			p.height[l] += v
		}
		p.text = rest[k:]
	}
	return leaves
}

func (p *newickReader) name() string {
	if !strings.HasPrefix(p.text, "'") {
		k := strings.IndexAny(p.text, "(),:;")
		name := p.text[:k]
		p.text = p.text[k:]
		return strings.ReplaceAll(name, "_", " ")
	}
	var name strings.Builder
	for k := 1; k < len(p.text); k++ {
		if p.text[k] != '\'' {
			name.WriteByte(p.text[k])
			continue
		}
		if strings.HasPrefix(p.text[k:], "''") {
			name.WriteByte('\'')
			k++
			continue
		}
		p.text = p.text[k+1:]
		return name.String()
	}
	p.err = "open quote"
	return ""
}
