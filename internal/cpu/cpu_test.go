package cpu

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	if l, err := choose(""); err != nil || l != Best() {
		t.Errorf("unset: %v, %v; want %v", l, err, Best())
	}
	for _, l := range Levels() {
		if got, err := choose(l.String()); err != nil || got != l {
			t.Errorf("%s: %v, %v", l, got, err)
		}
	}
	for _, bad := range []string{"sse", "AVX2", "avx1024"} {
		if _, err := choose(bad); err == nil || !strings.Contains(err.Error(), "CHEST_CPU="+bad) {
			t.Errorf("%s: error %v; want one that names it", bad, err)
		}
	}
	if Best() < AVX512 {
		if _, err := choose("avx512"); err == nil {
			t.Error("avx512 passed on a machine without it")
		}
	}
}

func TestSet(t *testing.T) {
	before := Active()
	for _, l := range Levels() {
		restore := Set(l)
		if Active() != l {
			t.Errorf("set %v, got %v", l, Active())
		}
		restore()
	}
	if Active() != before {
		t.Errorf("restored to %v, was %v", Active(), before)
	}
}
