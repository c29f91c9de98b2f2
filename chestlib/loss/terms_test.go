package loss

import "testing"

func TestTermsString(t *testing.T) {
	for _, c := range []struct {
		terms Terms
		want  string
	}{
		{Terms{}, "0"},
		{Terms{Total: 1.25, E: 1.25}, "1.25 (E 1.25)"},
		{Terms{Total: 6.5, E: 2, H: 4, Tree: 1, Clipped: 0.25}, "6.5 (E 2, H 4, tree 1), clipped 25 %"},
		{Terms{Total: 4, E: 3, Parts: []Part{{"chest", 1, 3}, {"hier", 0.5, 2}}}, "4 (1·chest 3, 0.5·hier 2)"},
	} {
		if got := c.terms.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestCHESTString(t *testing.T) {
	if got, want := NewCHEST(3, 5, 4, CHESTOptions{E: SoftTripleOptions{Proxies: 2}}).String(), "chest of 3 classes, proxies.E [6 5], proxies.H [6 4]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
