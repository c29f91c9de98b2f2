package datasets

// Tree is the known hierarchy over the classes of a set. Its nodes are the
// classes, then the superclasses, then the groups, then the root; levels that
// the set does not have are left out.
type Tree struct {
	Parent []int    // of each node, a higher number; -1 for the root, which is last
	Name   []string // of each node; "" for the root
	Leaves int      // nodes 0 to Leaves-1 are the classes, by label
}

// Tree is the hierarchy over the classes, for scoring a learnt one.
//
//	tree := set.Tree()
//	tree.Name[tree.Parent[set.Label(0)]] // the family of the first item
func (s *Set) Tree() Tree {
	t := Tree{Leaves: len(s.Classes)}
	t.level(s.Classes, s.Super)
	if s.Super != nil {
		t.level(s.Supers, s.Group)
	}
	if s.Super != nil && s.Group != nil {
		t.level(s.Groups, nil)
	}
	t.Parent, t.Name = append(t.Parent, -1), append(t.Name, "")
	return t
}

// level appends one level; up is nil where the root is next.
func (t *Tree) level(names []string, up []int) {
	next := len(t.Parent) + len(names)
	for i, name := range names {
		p := next
		if up != nil {
			p += up[i]
		}
		t.Parent, t.Name = append(t.Parent, p), append(t.Name, name)
	}
}
