package eval

import (
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/traefik/yaegi/interp"
)

// innards are the private parts of the interpreter without which an interrupt
// would leave every function value dead, and a type could never be defined
// again. They are those of the one version that go.mod names; New fails when
// they are not as expected.
type innards struct {
	id      *uint64        // frames run as long as theirs is the same
	done    *chan struct{} // what blocked channel operations also wait for
	cancels *bool          // channel operations can be stopped
	scopes  reflect.Value  // map[string]*scope
	generic reflect.Value  // map[string]*node: instances of generics
	roots   reflect.Value  // []*node
}

func openInnards(i *interp.Interpreter) (in *innards, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("eval: the interpreter is not the version that chest is made for: %v", r)
		}
	}()
	v := reflect.ValueOf(i).Elem()
	field := func(name string, want any) reflect.Value {
		f := v.FieldByName(name)
		if !f.IsValid() || want != nil && f.Type() != reflect.TypeOf(want) {
			panic("no field " + name)
		}
		return reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem()
	}
	in = &innards{
		id:      field("id", uint64(0)).Addr().Interface().(*uint64),
		done:    field("done", (chan struct{})(nil)).Addr().Interface().(*chan struct{}),
		cancels: field("cancelChan", false).Addr().Interface().(*bool),
		scopes:  field("scopes", nil),
		generic: field("generic", nil),
	}
	*in.done = make(chan struct{})
	*in.cancels = true
	in.roots = field("roots", nil)
	in.symbolsOf("main") // panics when it is not as expected
	in.tidy()
	return in, nil
}

// tidy drops the syntax of what has run, which the interpreter keeps for its
// debugger alone: some 20 kB a cell.
func (in *innards) tidy() {
	in.roots.SetZero()
	if sc := in.scopes.MapIndex(reflect.ValueOf("main")); sc.IsValid() {
		f, ok := in.scopes.Type().Elem().Elem().FieldByName("child")
		if !ok || f.Type.Kind() != reflect.Slice {
			panic("no scopes in scopes")
		}
		reflect.NewAt(f.Type, unsafe.Add(sc.UnsafePointer(), f.Offset)).Elem().SetZero()
	}
}

// symbolsOf is the names of a package: map[string]*symbol; the zero Value when
// there is no such package yet.
func (in *innards) symbolsOf(pkg string) reflect.Value {
	t := in.scopes.Type().Elem().Elem()
	f, ok := t.FieldByName("sym")
	if !ok || f.Type.Kind() != reflect.Map {
		panic("no symbols")
	}
	sc := in.scopes.MapIndex(reflect.ValueOf(pkg))
	if !sc.IsValid() {
		return reflect.Value{}
	}
	return reflect.NewAt(f.Type, unsafe.Add(sc.UnsafePointer(), f.Offset)).Elem()
}

// forget removes types and generic functions from package main, with their
// instances, so that they can be declared anew. Values and code that have the
// former ones keep them. undo brings the former ones back.
func (in *innards) forget(names map[string]bool) (undo func()) {
	type entry struct{ m, key, value reflect.Value }
	var gone []entry
	is := func(key string) bool {
		base, _, _ := strings.Cut(strings.TrimPrefix(key, "main."), "[")
		return names[base]
	}
	for _, m := range []reflect.Value{in.symbolsOf("main"), in.generic} {
		if !m.IsValid() {
			continue
		}
		for _, key := range m.MapKeys() {
			if is(key.String()) {
				gone = append(gone, entry{m, key, m.MapIndex(key)})
			}
		}
	}
	for _, e := range gone {
		e.m.SetMapIndex(e.key, reflect.Value{})
	}
	return func() {
		for _, e := range gone {
			e.m.SetMapIndex(e.key, e.value)
		}
	}
}

// halt stops all code of the interpreter: loops at their next step, blocked
// channel operations because they are woken. ended tells that the code of the
// cell has ended. Then the function that halt returns is called: with true,
// functions live again; with false, when code may still be somewhere in a
// compiled call, what was there before stays dead.
func (in *innards) halt(ended <-chan struct{}) (resume func(alive bool)) {
	before := atomic.AddUint64(in.id, 1) - 1
	done, left := *in.done, make(chan struct{})
	go func() {
		for {
			select {
			case done <- struct{}{}:
			case <-ended:
				return
			case <-left:
				return
			}
		}
	}()
	return func(alive bool) {
		close(left)
		if alive {
			atomic.StoreUint64(in.id, before)
		} else {
			*in.done = make(chan struct{})
		}
	}
}
