package engine

import (
	"fmt"
	"math"

	"github.com/chestlab/chest/chestlib/ball"
	"github.com/chestlab/chest/chestlib/loss"
	"github.com/chestlab/chest/chestlib/optim"
	"github.com/chestlab/chest/internal/cpu"
	"github.com/chestlab/chest/internal/parallel"
	"github.com/chestlab/chest/internal/sgemm"
)

// Options controls New and For.
type Options struct {
	Optim  optim.Recipe // of the loss's params; nil means optim.AdamWOptions{}
	Common optim.Common // rate and groups of it, and the threads of the engine
}

// optimizer makes the optimiser of params.
func (o Options) optimizer(params []*optim.Param) (optim.Optimizer, error) {
	if o.Optim == nil {
		o.Optim = optim.AdamWOptions{}
	}
	return o.Optim.Make(params, o.Common)
}

// CPU computes the step on the processor's vector units.
//
// A step is six loops over tasks, with a barrier after each: points and
// proxies; similarities of the batch to blocks of classes, and beside them the
// tree; log-sum-exp of rows; gradients of blocks; gradients of rows; AdamW. A
// block's similarities are reduced while they are in cache. Only
// they themselves are kept for the gradient: what follows from them by an
// exponential is computed again.
//
// Tasks are cut by sizes alone and every sum has one order: the bits of a step
// do not depend on the number of threads. They do on the level of vector
// instructions.
//
// Memory, in bytes: 4·B·(CK+C) for each space, 4·min(16, blocks)·B·D for
// partial gradients, three times the proxies beside themselves and their
// gradient, and about 1 MB + 4·512·D a thread. Nothing is allocated after the
// first step of a batch size.
type CPU struct {
	def     *loss.CHEST
	o       loss.CHESTOptions
	classes int
	spaces  []*space // in use
	e, h    *space   // nil if not in use
	tree    *tree
	params  []*optim.Param
	optim   optim.Optimizer
	team    *parallel.Team
	workers []worker
	clipped []int // of each chunk

	// the step in progress
	batch loss.Batch
	train bool
	more  bool // its gradient is added to that of the last one

	// the loops, made once: a function made for a call would be allocated
	mapTask, forwardTask, rowTask, backTask, collectTask func(task, worker int)
}

// worker is the memory of one thread.
type worker struct {
	gemm         sgemm.Workspace
	right        sgemm.Packed
	g            []float32 // chunkRows × columns
	gp           []float32 // columns × D
	sim, squares []float32
	colW, colV   []float32
	S, gS        []float32
	mean         []float32 // D
}

// New makes a CPU engine that computes what l.Step computes. It works on l's
// proxies; l stays usable. Options of the optimiser without meaning are an error.
func New(l *loss.CHEST, o Options) (*CPU, error) {
	e := &CPU{def: l, o: l.Options(), params: l.Params(), team: parallel.NewTeam(o.Common.Threads)}
	var err error
	if e.optim, err = o.optimizer(e.params); err != nil {
		return nil, err
	}
	if s := l.Euclidean(); s != nil {
		so, p := s.Options(), s.Proxies()
		e.e = newSpace(space{
			chart: chart{sphere: true}, d: p.Shape[1], k: so.Proxies, classes: p.Shape[0] / so.Proxies,
			lambda: so.Lambda, delta: max(so.Delta, 0), inverse: float32(1 / so.Gamma), tau: so.Tau, weight: e.o.WeightE, proxies: p,
		})
		e.spaces = append(e.spaces, e.e)
	}
	if s := l.Hyperbolic(); s != nil {
		so, p := s.Options(), s.Proxies()
		e.h = newSpace(space{
			ball: true, def: s.Ball(), kind: so.Similarity, free: so.FreeProxies,
			d: p.Shape[1], k: so.Proxies, classes: p.Shape[0] / so.Proxies,
			lambda: so.Lambda, delta: max(so.Delta, 0), inverse: float32(1 / so.Gamma), tau: so.Tau, weight: e.o.WeightH, proxies: p,
		})
		e.spaces = append(e.spaces, e.h)
	}
	if t := l.Tree(); t != nil {
		e.tree = newTree(t, e.o.WeightTree, e.h, e.e)
	}
	e.classes = e.spaces[0].classes
	e.workers = make([]worker, e.team.Workers())
	for i := range e.workers {
		e.workers[i] = newWorker(e.spaces)
	}
	e.mapTask, e.forwardTask, e.rowTask, e.backTask, e.collectTask = e.doMap, e.doForward, e.doRows, e.doBack, e.doCollect
	return e, nil
}

// newWorker makes the memory for the largest block of any space.
func newWorker(spaces []*space) worker {
	var columns, classes, d int
	for _, s := range spaces {
		d = max(d, s.d)
		columns, classes = max(columns, s.blocks[0].n*s.k), max(classes, s.blocks[0].n)
	}
	row := func(n int) []float32 { return make([]float32, n) }
	return worker{
		g: row(chunkRows * columns), sim: row(columns), squares: row(columns),
		colW: row(columns), colV: row(columns), S: row(classes), gS: row(classes),
		mean: row(d),
	}
}

// Name implements Engine.
func (e *CPU) Name() string {
	if n := e.team.Workers(); n > 1 {
		return fmt.Sprintf("cpu %s, %d threads", cpu.Active(), n)
	}
	return fmt.Sprintf("cpu %s, 1 thread", cpu.Active())
}

// Params implements Engine: the values are always up to date. The param of a
// ball that is learned is the model's and not among them.
func (e *CPU) Params() []*optim.Param { return e.params }

// Sync implements Engine.
func (e *CPU) Sync() error { return nil }

// Norm implements Engine.
func (e *CPU) Norm() float64 {
	var sum float64
	for _, s := range e.spaces {
		for _, n := range s.norms {
			sum += n
		}
	}
	return math.Sqrt(sum)
}

// Update implements Engine.
func (e *CPU) Update(m optim.Move) error {
	e.optim.Move(m)
	return nil
}

// Optimizer implements Engine.
func (e *CPU) Optimizer() optim.Optimizer { return e.optim }

// Loss implements Engine.
func (e *CPU) Loss(b loss.Batch, more bool) (loss.Terms, error) {
	e.train, e.more = b.GE != nil || b.GH != nil, more
	clear(b.GE)
	clear(b.GH)
	if err := e.check(b); err != nil {
		return loss.Terms{}, err
	}
	e.batch = b
	if e.e != nil {
		e.e.fit(b.E, e.train)
	}
	if e.h != nil {
		e.h.present()
		e.h.fit(b.H, e.train)
	}
	if e.tree != nil {
		rng := b.Rand
		if rng == nil {
			rng = e.def.TreeRand()
		}
		e.tree.draw(b.Label, rng)
	}
	e.clipped = resized(e.clipped, e.spaces[0].chunks())
	e.team.Tasks(e.tasks(func(s *space) int { return s.chunks() + len(s.blocks) }), e.mapTask)
	tree := 0
	if e.tree != nil {
		tree = 1
	}
	e.team.Tasks(e.tasks(func(s *space) int { return len(s.blocks) })+tree, e.forwardTask)
	e.team.Tasks(e.tasks((*space).rowTasks), e.rowTask)
	if e.train {
		e.team.Tasks(e.tasks(func(s *space) int { return s.lanes }), e.backTask)
		e.team.Tasks(e.tasks((*space).rowTasks), e.collectTask)
		if e.h != nil && e.h.learns() {
			e.h.addGrad(e.tree)
		}
	}
	return e.terms(), nil
}

// check finds lengths and labels that do not fit.
func (e *CPU) check(b loss.Batch) error {
	for _, v := range []struct {
		name  string
		space *space
		u, g  []float32
	}{{"E", e.e, b.E, b.GE}, {"H", e.h, b.H, b.GH}} {
		if v.space == nil {
			continue
		}
		if err := fits(v.name, v.u, v.g, len(b.Label), v.space.d, e.train); err != nil {
			return err
		}
	}
	return checkLabels(b.Label, e.classes)
}

// rowsOfTask is how many rows of the batch a task of classify or collect takes.
const rowsOfTask = 16

func (s *space) rowTasks() int { return (s.rows() + rowsOfTask - 1) / rowsOfTask }

// tasks sums a number of tasks over the spaces.
func (e *CPU) tasks(count func(*space) int) (n int) {
	for _, s := range e.spaces {
		n += count(s)
	}
	return n
}

// find returns the space that task belongs to and its number there.
func (e *CPU) find(task int, count func(*space) int) (*space, int) {
	for _, s := range e.spaces {
		if n := count(s); task < n {
			return s, task
		} else {
			task -= n
		}
	}
	return nil, task
}

func (e *CPU) doMap(task, _ int) {
	s, at := e.find(task, func(s *space) int { return s.chunks() + len(s.blocks) })
	if at >= s.chunks() {
		b := s.blocks[at-s.chunks()]
		s.mapProxies(b)
		if s.ball && e.tree != nil && e.tree.means {
			e.tree.mapMeans(b)
		}
		return
	}
	if n := s.mapRows(at, e.train); s.ball {
		e.clipped[at] = n
	}
}

// doForward takes the tree first: it is the longest task.
func (e *CPU) doForward(task, worker int) {
	if e.tree != nil {
		if task == 0 {
			e.tree.step(e.train)
			return
		}
		task--
	}
	s, at := e.find(task, func(s *space) int { return len(s.blocks) })
	s.forward(s.blocks[at], &e.workers[worker])
}

func (e *CPU) doRows(task, _ int) {
	s, at := e.find(task, (*space).rowTasks)
	for i := at * rowsOfTask; i < min((at+1)*rowsOfTask, s.rows()); i++ {
		s.classify(i, e.batch.Label[i], e.train)
	}
}

func (e *CPU) doBack(task, worker int) {
	s, lane := e.find(task, func(s *space) int { return s.lanes })
	s.backward(lane, &e.workers[worker], e.tree, e.more)
}

func (e *CPU) doCollect(task, _ int) {
	s, at := e.find(task, (*space).rowTasks)
	g := e.batch.GE
	if s.ball {
		g = e.batch.GH
	}
	var sums ball.Sums
	for i := at * rowsOfTask; i < min((at+1)*rowsOfTask, s.rows()); i++ {
		sums.Add(s.collect(i, g))
	}
	if s.learns() {
		s.rowSums[at] = sums
	}
}

// terms sums up what the loops have left.
func (e *CPU) terms() (t loss.Terms) {
	n := float64(max(len(e.batch.Label), 1))
	if e.e != nil {
		t.E, t.Merge = e.e.sum(e.train)
		t.Total += e.o.WeightE * (t.E + t.Merge)
	}
	if e.h != nil {
		cls, merge := e.h.sum(e.train)
		t.H = cls + merge
		for _, c := range e.clipped {
			t.Clipped += float64(c) / n
		}
		t.Total += e.o.WeightH * t.H
	}
	if e.tree != nil {
		t.Tree = e.tree.loss
		t.Total += e.o.WeightTree * t.Tree
	}
	return t
}

// sum returns the mean loss of the rows, and τR.
func (s *space) sum(train bool) (cls, merge float64) {
	for _, l := range s.rowLoss {
		cls += l
	}
	for at, b := range s.blocks {
		if !train {
			s.merges[at] = s.merge(b, nil)
		}
		merge += s.merges[at]
	}
	return cls / float64(max(s.rows(), 1)), merge
}
