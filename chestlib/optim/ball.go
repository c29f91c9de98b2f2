package optim

import (
	"math"

	"github.com/chestlab/chest/internal/vmath"
)

// defaultMargin is how far points of a ball stay from its boundary. At √c‖x‖ =
// 1-4e-3 float32 still gives 1-c‖x‖² to five digits, and points are up to
// 6.2/√c from the origin. The value is that of geoopt and HypHC for float32.
const defaultMargin = 4e-3

// ball moves rows of float32 that are points of the Poincaré ball of curvature
// -c. The operations are those of package poincare: RiemannianGradient, ExpMap,
// Transport, Project. All vectors of a row's step lie in the plane of the point
// and the direction, so a step is a few dot products, scalars in float64, and a
// few combinations of rows; it needs no memory.
type ball struct {
	c      float64
	margin float64 // points are kept at √c‖x‖ ≤ 1-margin
}

// settle moves x radially inside where it must be and returns ‖x‖².
func (b ball) settle(x []float32) float64 {
	xx, most := vmath.Dot64(x, x), (1-b.margin)/math.Sqrt(b.c)
	if xx <= most*most {
		return xx
	}
	vmath.Scale(x, float32(most/math.Sqrt(xx)), x)
	return vmath.Dot64(x, x)
}

// gradient returns the factor of the Riemannian gradient at a point, which is
// also that of its squared length, for the Euclidean gradient g:
//
//	grad = factor g,  ‖grad‖ₓ² = λₓ²‖grad‖² = factor ‖g‖²,  factor = (1-c‖x‖²)²/4
func (b ball) gradient(xx float64) float64 {
	a := 1 - b.c*xx
	return a * a / 4
}

// move moves the point x, of squared norm xx, along the tangent vector k·d, and
// the tangent vector v, unless it is nil, with it; it clears d.
//
//	z = project(expmapₓ(k d))    v ← PT_{x→z}(v)    x ← z
func (b ball) move(x []float32, xx float64, d, v []float32, k float64) {
	xu, uu := k*vmath.Dot64(x, d), k*k*vmath.Dot64(d, d)
	p, q, az := b.exp(xx, xu, uu)
	if v != nil {
		// gyr[z,-x]v = v + 2(α z - β x)/D, with z = x + p x + q u
		xv, uv := vmath.Dot64(x, v), k*vmath.Dot64(d, v)
		ratio, alpha, beta := b.transport(xx, xu, uu, xv, uv, p, q, az)
		vmath.Combine64(v, ratio-1, v, ratio*(alpha*(1+p)-beta), x)
		vmath.Axpy(v, float32(ratio*alpha*q*k), d)
	}
	vmath.Combine64(x, p, x, q*k, d)
	clear(d)
}

// exp returns the coefficients of the exponential map along u, and of the
// projection after it:
//
//	project(expmapₓ(u)) = z = x + p x + q u,  az = 1-c‖z‖²
//
// from ‖x‖², x·u and ‖u‖². As in poincare.ExpMap, with A = 1-c‖x‖²,
// t = √c‖u‖/A and y = (tanh(t)/(t A)) u,
//
//	x⊕y = [A(x+y) + cn x]/D,  n = ‖x+y‖²,  D = A sech²t + cn
//	1 - c‖x⊕y‖² = A sech²t/D
func (b ball) exp(xx, xu, uu float64) (p, q, az float64) {
	a, s := 1-b.c*xx, math.Sqrt(b.c)
	if uu == 0 {
		return 0, 0, a
	}
	t := min(s*math.Sqrt(uu)/a, 15) // tanh 15 is 1 - 1.9e-13: beyond lies the boundary
	th, sech := math.Tanh(t), 1/math.Cosh(t)
	f := th / (s * math.Sqrt(uu)) // y = f u
	n := xx + f*(2*xu+f*uu)
	den := a*sech*sech + b.c*n
	p, q, az = a*th*th/den, a*f/den, a*sech*sech/den
	if most := 1 - b.margin; az < 1-most*most {
		scale := most / math.Sqrt(1-az)
		p, q, az = scale*p+(scale-1), scale*q, 1-most*most
	}
	return p, q, az
}

// transport returns the coefficients of the parallel transport of v from x to
// z = x + p x + q u:
//
//	PT(v) = ratio (v + alpha z - beta x),  ratio = λₓ/λ_z
//
// from ‖x‖², x·u, ‖u‖², x·v, u·v and 1-c‖z‖². They are those of
// poincare.Transport.
func (b ball) transport(xx, xu, uu, xv, uv, p, q, az float64) (ratio, alpha, beta float64) {
	c := b.c
	zx, zv := (1+p)*xx+q*xu, (1+p)*xv+q*uv
	a, apart := 1-c*xx, p*p*xx+2*p*q*xu+q*q*uu // ‖z-x‖²
	den := a*az + c*apart                      // 1 - 2c z·x + c²‖z‖²‖x‖²
	alpha = 2 * c * (2*c*zx*xv - c*zv*xx - xv) / den
	beta = 2 * c * (xv*(1-az) - zv) / den
	return az / a, alpha, beta
}
