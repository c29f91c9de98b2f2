// Package assist finds what can stand at the cursor of a cell, and what it is.
package assist

// Completion is what can replace the code from Start to End, in bytes.
type Completion struct {
	Start, End int
	Matches    []Match
}

// Match is one way to go on.
type Match struct {
	Text   string
	Kind   string // such as "function", "type", "field"
	Detail string // such as its signature
}

// Inspection is the documentation of what stands at the cursor.
type Inspection struct {
	Found          bool
	Text, Markdown string
}
