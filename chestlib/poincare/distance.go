package poincare

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// Distance returns the geodesic distance of x and y.
//
//	d(x,y) = (2/s) arsinh( s‖x-y‖ / √((1-c‖x‖²)(1-c‖y‖²)) )
//
// 2‖x-y‖ for c = 0. +Inf if x ≠ y and one of them is not inside the ball. The
// textbook's forms with artanh and arcosh are equal, but lose the digits of
// points near the boundary and of near points; nothing is clamped here.
func Distance(x, y []float64, c float64) float64 {
	checkPair("Distance", x, y, c)
	return distance(squaredDistance(x, y), gap(x, c), gap(y, c), math.Sqrt(c))
}

// distance is the distance of points with ‖x-y‖² = sq, a = 1-c‖x‖² and
// b = 1-c‖y‖².
func distance(sq, a, b, s float64) float64 {
	if sq == 0 {
		return 0
	}
	if a <= 0 || b <= 0 {
		return math.Inf(1)
	}
	return 2 * arsinhOver(math.Sqrt(sq/(a*b)), s)
}

// DistanceGrad adds g times the gradients of Distance by x and y to gx and gy.
//
//	∂d/∂x = (2/√Q) [ (x-y)/‖x-y‖ + c‖x-y‖ x/A ],  and 0 at x = y
func DistanceGrad(gx, gy, x, y []float64, c, g float64) {
	checkPair("DistanceGrad", x, y, c)
	sq := squaredDistance(x, y)
	if sq == 0 {
		return
	}
	a, b, n := gap(x, c), gap(y, c), math.Sqrt(sq)
	k := 2 * g / math.Sqrt(a*b+c*sq)
	add(gx, k/n+k*c*n/a, x)
	add(gx, -k/n, y)
	add(gy, k/n+k*c*n/b, y)
	add(gy, -k/n, x)
}

// Distance0 returns the distance of x from the origin, (2/s) artanh(s‖x‖).
func Distance0(x []float64, c float64) float64 {
	checkCurvature("Distance0", c)
	sq := floats.Dot(x, x)
	return distance(sq, 1-c*sq, 1, math.Sqrt(c))
}

// Distance0Grad adds g times the gradient of Distance0 to gx.
//
//	∂d(0,x)/∂x = 2x / (‖x‖(1 - c‖x‖²)),  and 0 at x = 0
func Distance0Grad(gx, x []float64, c, g float64) {
	checkCurvature("Distance0Grad", c)
	if n := norm(x); n > 0 {
		add(gx, 2*g/(n*gap(x, c)), x)
	}
}
