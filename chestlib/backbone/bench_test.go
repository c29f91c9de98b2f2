package backbone

import "testing"

func BenchmarkViT(b *testing.B)    { measure(b, "vit_s16") }
func BenchmarkResNet(b *testing.B) { measure(b, "resnet50") }

// measure maps two images a turn.
func measure(b *testing.B, name string) {
	net, err := Untrained(name, 0, 1)
	if err != nil {
		b.Fatal(err)
	}
	x := gaussian(2 * net.In().Size())
	net.Features(x, 2)
	for b.Loop() {
		net.Features(x, 2)
	}
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
