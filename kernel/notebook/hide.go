package notebook

import "slices"

// shown says which parts of a cell a document has.
type shown struct {
	cell, input, output bool
	foldInput           bool // is there, behind a line to click; documents without clicks leave it out
	foldOutput          bool
}

// shows reads the tags of a cell that Jupyter's exporters know, written with a
// hyphen or an underscore: remove-cell, remove-input, remove-output leave parts
// out; hide-cell, hide-input, hide-output fold them. The cell's metadata hide_input,
// and source_hidden and outputs_hidden of JupyterLab, fold too.
func (c *Cell) shows(noInput bool) shown {
	has := func(what string) bool { return c.tagged(what+"_cell") || c.tagged(what+"-cell") }
	part := func(what, which string) bool { return c.tagged(what+"_"+which) || c.tagged(what+"-"+which) }
	lab, _ := c.Metadata["jupyter"].(map[string]any)
	s := shown{cell: !has("remove"), input: !part("remove", "input") && !noInput, output: !part("remove", "output")}
	s.foldInput = has("hide") || part("hide", "input") || c.Metadata["hide_input"] == true || lab["source_hidden"] == true
	s.foldOutput = has("hide") || part("hide", "output") || lab["outputs_hidden"] == true
	return s
}

// onPaper is s for a document that nobody clicks in.
func (s shown) onPaper() shown {
	s.input = s.input && !s.foldInput
	s.output = s.output && !s.foldOutput
	return s
}

// rawFor says whether a raw cell is meant for documents of one of the MIME types.
func (c *Cell) rawFor(mimes ...string) bool {
	for _, key := range []string{"raw_mimetype", "format"} { // Jupyter Notebook, JupyterLab
		if m, _ := c.Metadata[key].(string); c.Kind == Raw && slices.Contains(mimes, m) {
			return true
		}
	}
	return false
}
