package hyphc

import (
	"testing"
)

// TestDeal: a pass has each ordered pair once, with a third leaf that is
// another and takes every value; another pass or seed has another order.
func TestDeal(t *testing.T) {
	for _, n := range []int{3, 4, 5, 17, 60} {
		deal := newTriplets(n, 5)
		var orders [3][]int
		thirds := make([]int, n)
		for pass := range uint64(2) {
			seen := make(map[[2]int]bool)
			whole := uint64(n * (n - 1))
			for k := pass * whole; k < (pass+1)*whole; k++ {
				p, left := deal.until(k)
				if p != pass || left != (pass+1)*whole-k {
					t.Fatalf("n = %d: triplet %d is in pass %d with %d left", n, k, p, left)
				}
				if p != deal.pass {
					deal.turn(p)
				}
				a, b, c := deal.at(k)
				if min(a, b, c) < 0 || max(a, b, c) >= n || a == b || b == c || a == c {
					t.Fatalf("n = %d: triplet %d is %d, %d, %d", n, k, a, b, c)
				}
				if seen[[2]int{a, b}] {
					t.Fatalf("n = %d: pair %d, %d comes twice in a pass", n, a, b)
				}
				seen[[2]int{a, b}] = true
				thirds[c]++
				orders[pass] = append(orders[pass], a*n+b)
			}
		}
		other := newTriplets(n, 6)
		same := [2]int{}
		for k := range orders[0] {
			a, b, _ := other.at(uint64(k))
			orders[2] = append(orders[2], a*n+b)
			for i := range same {
				if orders[0][k] == orders[i+1][k] {
					same[i]++
				}
			}
		}
		if few := n * (n - 1) / 2; same[0] > few || same[1] > few {
			t.Errorf("n = %d: %d and %d of %d pairs are in the same place in another pass and of another seed", n, same[0], same[1], n*(n-1))
		}
		for c, times := range thirds {
			if want := float64(2 * (n - 1)); n >= 17 && (float64(times) < want/2 || float64(times) > 2*want) {
				t.Errorf("n = %d: leaf %d is third %d times, want about %g", n, c, times, want)
			}
		}
	}
}
