package train

import (
	"context"
	"fmt"

	"github.com/chestlab/chest/chestlib/model"
)

// Two epochs beside whatever else is to be done, on a GPU if one works.
func ExampleTrainer_Dispatch() {
	src := newClusters(8, 8, 12, 1) // 64 vectors of 12 numbers
	m, err := model.New(model.Shape{C: 12, H: 1, W: 1}, model.Options{Width: 16, Depth: 1, DE: 8, DH: 8})
	if err != nil {
		panic(err)
	}
	o := small(10)
	o.OnWarn = func(string) {} // why it is the processor
	tr, err := New(m, src, o)
	if err != nil {
		panic(err)
	}
	job := tr.Dispatch(context.Background(), 2, On("auto"))
	history, err := job.Wait()
	fmt.Println(len(history), err, job.Progress().Step)
	// Output: 2 <nil> 8
}
