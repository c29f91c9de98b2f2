package model
import "testing"
func BenchmarkGELU(b *testing.B){ l:=NewGELU(Shape{1<<20,1,1}); x:=make([]float32,1<<20); for i:=range x{ x[i]=float32(i%997)/200-2.5}
 b.Run("f",func(b *testing.B){for b.Loop(){l.Forward(x,1,true)}; b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<20),"ns/el")})
 b.Run("b",func(b *testing.B){for b.Loop(){l.Backward(x,1)}; b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(1<<20),"ns/el")})}
