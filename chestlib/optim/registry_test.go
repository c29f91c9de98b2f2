package optim

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// TestRegistry: every recipe and schedule is found by its name, which is its
// own, and comes back from JSON with all its options.
func TestRegistry(t *testing.T) {
	names := map[string]bool{}
	for _, r := range Recipes() {
		if got, err := Named(r.Name()); err != nil || !reflect.DeepEqual(got, r) || names[r.Name()] {
			t.Errorf("Named(%q) = %T, %v", r.Name(), got, err)
		}
		names[r.Name()] = true
	}
	withGroups := AdamWOptions{Decay: -1, Groups: map[string]Group{"head": {Rate: 3, Decay: -1}}, Threads: 2}
	for _, r := range append(all(), withGroups) {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(r.Name(), text); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%T%+v came back from %s as %+v, %v", r, r, text, got, err)
		}
	}
	names = map[string]bool{}
	for _, s := range append(Schedules(), StepDecay{3, 0.5, Warmup{Steps: 7}}, Cosine{0.1, Warmup{Epochs: 1.5}}) {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeSchedule(s.Name(), text); err != nil || got != s {
			t.Errorf("%T%+v came back from %s as %+v, %v", s, s, text, got, err)
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, s := range Schedules() {
		if got, err := NamedSchedule(s.Name()); err != nil || got != s || names[s.Name()] {
			t.Errorf("NamedSchedule(%q) = %T, %v", s.Name(), got, err)
		}
		names[s.Name()] = true
	}
}

func TestRegistryErrors(t *testing.T) {
	for _, c := range []struct{ name, json, want string }{
		{"lion", `{}`, `optim: there is no optimiser "lion"; there are adamw, adam, sgd, riemannian-adam, riemannian-sgd`},
		{"sgd", `{"Momentun": 1}`, `optim: options of sgd: json: unknown field "Momentun"`},
		{"sgd", `{"Momentum": "1"}`, "optim: options of sgd: json: cannot unmarshal string"},
		{"sgd", `{"Momentum": 0.9} {}`, "optim: options of sgd: text after the object"},
		{"sgd", ``, "optim: options of sgd: EOF"},
	} {
		if r, err := Decode(c.name, []byte(c.json)); r != nil || err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s %s: %v, error %v, want %q", c.name, c.json, r, err, c.want)
		}
	}
	if _, err := DecodeSchedule("exp", nil); err == nil || err.Error() != `optim: there is no schedule "exp"; there are constant, step, cosine` {
		t.Error(err)
	}
}
