package optim

// Optimizer moves params along their gradients. It is used by one goroutine at
// a time.
type Optimizer interface {
	// Move moves every value along its gradient as m says and clears the
	// gradients.
	Move(m Move)
	// State is what the optimiser remembers between steps, for checkpoints: who
	// writes into the arrays of another optimiser of the same recipe and params,
	// and calls SetSteps, goes on where it was.
	State() []State
	Steps() int // done so far
	SetSteps(steps int)
}

// Move says how far one step goes.
type Move struct {
	Rate  float64 // of a group with rate 1; 0 means no movement
	Scale float64 // the gradients are multiplied by this: 1, or less to clip their norm
	Limit float64 // then their entries are cut to ±Limit; 0 means never
}

// State is an array that an optimiser keeps for a param.
type State struct {
	Name  string // unique in an optimiser: "proxies.E/m"
	Value []float32
}

// Recipe is the options of an optimiser, from which a trainer makes one for the
// model and one for the loss's params.
type Recipe interface {
	// Name is how records and command lines call it: "adamw", "sgd".
	Name() string
	// Make makes an optimiser of params. Options without meaning are an error.
	// It panics when one array is handed in twice or has a gradient of another
	// length.
	Make(params []*Param, c Common) (Optimizer, error)
}

// Common is what every optimiser is told beside its recipe.
type Common struct {
	Groups  map[string]Group // by Param.Group; missing groups are Group{}
	Threads int              // 0 means GOMAXPROCS
}
