package datasets

// Files is labelled image files: what the readers of benchmarks return and what Images decodes.
type Files struct {
	Name    string   // "cub train"
	Root    string   // the folder that Paths are relative to
	Paths   []string // slash-separated, relative to Root, checked to lie inside it
	Labels  []int    // class of each file, in [0, len(Classes))
	Classes []string
	Super   []int // superclass of each class; nil: none known
	Supers  []string
}
