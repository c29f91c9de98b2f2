package metric

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// ClusterScores says how well clusters agree with classes. All three scores are
// 1 for equal partitions, whatever their names.
type ClusterScores struct {
	NMI float64 // normalised mutual information, 0 to 1
	AMI float64 // adjusted mutual information: 0 on average for clusters drawn at random; may be below 0
	F1  float64 // of pairs: harmonic mean of their precision and recall, 0 to 1

	Rows, Classes, Clusters int
	KMeans                  Clusters // the clustering; set by ClusterNMI only
}

// String gives the scores on one line, in percent:
//
//	NMI 68.1 · AMI 55.0 · F1 32.4 (5924 rows, 100 classes, 100 clusters)
func (s ClusterScores) String() string {
	return fmt.Sprintf("NMI %.1f · AMI %.1f · F1 %.1f (%d rows, %d classes, %d clusters)",
		100*s.NMI, 100*s.AMI, 100*s.F1, s.Rows, s.Classes, s.Clusters)
}

// ClusterNMI clusters the rows of x by KMeans into as many clusters as there
// are classes, and compares both; see CompareClusters.
//
// x is n×d, row-major, n = len(label). Cost, memory and errors are those of
// KMeans. It panics if d < 1 or len(x) is not len(label)·d.
func ClusterNMI(ctx context.Context, x []float32, label []int, d int, o KMeansOptions) (ClusterScores, error) {
	mustFit("x", x, len(label), d)
	if len(label) == 0 {
		return ClusterScores{}, fmt.Errorf("metric: nothing to cluster: 0 rows")
	}
	classes := make(map[int]bool)
	for _, l := range label {
		classes[l] = true
	}
	c, err := KMeans(ctx, x, d, len(classes), o)
	if err != nil {
		return ClusterScores{}, err
	}
	s := CompareClusters(label, c.Label)
	s.KMeans = c
	return s, nil
}

// NMI returns the normalised mutual information of two partitions of the same
// rows; see CompareClusters.
func NMI(label, cluster []int) float64 { return crossed(label, cluster).nmi() }

// CompareClusters compares two partitions of the same rows, of which the first
// is the truth. Both are given by one number a row.
//
//	NMI = I / ½(H(label)+H(cluster)),  I = Σ (n_ij/n) log( n n_ij / (a_i b_j) )
//	AMI = (I - E) / (½(H(label)+H(cluster)) - E)
//	F1  = 2PR/(P+R),  P = Σ C(n_ij,2) / Σ C(b_j,2),  R = Σ C(n_ij,2) / Σ C(a_i,2)
//
// a_i, b_j and n_ij are the sizes of classes, of clusters and of what they
// share, H the entropies, E the mean of I over all partitions with the same
// sizes. NMI grows with the number of clusters even where these mean nothing;
// AMI does not.
//
// Two partitions into one part, and two of no rows, are equal: 1. Nothing
// changes when parts are renamed or both partitions change places.
//
// Cost: n, and for AMI the pairs of different sizes times the smaller of both,
// at most some n√n. It panics if the lengths differ.
//
// Sources: N. Vinh, J. Epps, J. Bailey, Information theoretic measures for
// clusterings comparison, 2010; for F1 H. Oh Song et al., Deep metric learning
// via lifted structured feature embedding, 2016.
func CompareClusters(label, cluster []int) ClusterScores {
	t := crossed(label, cluster)
	return ClusterScores{NMI: t.nmi(), AMI: t.ami(), F1: t.f1(), Rows: t.n, Classes: len(t.a), Clusters: len(t.b)}
}

// crossing is a contingency table without its zeros.
type crossing struct {
	n     int
	a, b  []int // sizes of the parts, in the order in which these appear
	cells []crossCell
}

// crossCell is what two parts share.
type crossCell struct{ i, j, n int }

func crossed(label, cluster []int) crossing {
	if len(label) != len(cluster) {
		panic(fmt.Sprintf("metric: %d labels and %d clusters", len(label), len(cluster)))
	}
	t := crossing{n: len(label)}
	ia, ib, ic := make(map[int]int), make(map[int]int), make(map[[2]int]int)
	for r, l := range label {
		i, j := part(ia, l, &t.a), part(ib, cluster[r], &t.b)
		at, ok := ic[[2]int{i, j}]
		if !ok {
			at = len(t.cells)
			ic[[2]int{i, j}] = at
			t.cells = append(t.cells, crossCell{i: i, j: j})
		}
		t.cells[at].n++
	}
	return t
}

// part counts a row for a name and returns the number of that.
func part(index map[int]int, name int, sizes *[]int) int {
	i, ok := index[name]
	if !ok {
		i = len(*sizes)
		index[name] = i
		*sizes = append(*sizes, 0)
	}
	(*sizes)[i]++
	return i
}

// equal says whether both partitions are the same.
func (t crossing) equal() bool { return len(t.cells) == len(t.a) && len(t.cells) == len(t.b) }

// entropy of parts, in nats.
func (t crossing) entropy(sizes []int) (h float64) {
	for _, s := range sizes {
		p := float64(s) / float64(t.n)
		h -= p * math.Log(p)
	}
	return h
}

func (t crossing) mutual() (info float64) {
	n := float64(t.n)
	for _, c := range t.cells {
		s := float64(c.n)
		info += s / n * math.Log(n*s/(float64(t.a[c.i])*float64(t.b[c.j])))
	}
	return info
}

func (t crossing) nmi() float64 {
	if t.equal() {
		return 1
	}
	return min(max(2*t.mutual()/(t.entropy(t.a)+t.entropy(t.b)), 0), 1)
}

func (t crossing) ami() float64 {
	if t.equal() {
		return 1
	}
	e := t.expected()
	room := (t.entropy(t.a)+t.entropy(t.b))/2 - e
	if room < 1e-12 { // only rounding is left
		return 0
	}
	return (t.mutual() - e) / room
}

func (t crossing) f1() float64 {
	if t.equal() {
		return 1
	}
	both := 0
	for _, c := range t.cells {
		both += c.n * (c.n - 1)
	}
	of := func(sizes []int) (pairs int) {
		for _, s := range sizes {
			pairs += s * (s - 1)
		}
		return pairs
	}
	if both == 0 {
		return 0
	}
	return 2 * float64(both) / float64(of(t.a)+of(t.b)) // 2PR/(P+R)
}

// expected is E: the mean of the mutual information where n_ij has the
// hypergeometric distribution of a_i and b_j. Equal sizes are summed once.
func (t crossing) expected() (e float64) {
	factorial := make([]float64, t.n+1) // its logarithm
	for i := range factorial {
		factorial[i], _ = math.Lgamma(float64(i) + 1)
	}
	bs := tally(t.b)
	for _, a := range tally(t.a) {
		for _, b := range bs {
			e += float64(a[1]) * float64(b[1]) * meanShare(a[0], b[0], t.n, factorial)
		}
	}
	return e
}

// meanShare is the mean of (m/n) log(n m/(ab)) over what parts of a and b rows
// share by chance, m rows of n.
func meanShare(a, b, n int, factorial []float64) (e float64) {
	fixed := factorial[a] + factorial[b] + factorial[n-a] + factorial[n-b] - factorial[n]
	for m := max(1, a+b-n); m <= min(a, b); m++ {
		p := math.Exp(fixed - factorial[m] - factorial[a-m] - factorial[b-m] - factorial[n-a-b+m])
		e += p * float64(m) / float64(n) * math.Log(float64(n)*float64(m)/(float64(a)*float64(b)))
	}
	return e
}

// tally returns each size and how often it occurs, by rising size.
func tally(sizes []int) (counts [][2]int) {
	sorted := slices.Sorted(slices.Values(sizes))
	for _, s := range sorted {
		if last := len(counts) - 1; last >= 0 && counts[last][0] == s {
			counts[last][1]++
		} else {
			counts = append(counts, [2]int{s, 1})
		}
	}
	return counts
}
