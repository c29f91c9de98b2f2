// math.h has the functions that the kernels need, from fused multiply-adds,
// divisions and roots alone: the same bits from every compiler. NaN gives NaN.
#ifndef KERN_MATH_H
#define KERN_MATH_H
#include "kern.h"

#define K_INF k_float(0x7f800000)

// least is what a squared number must exceed not to count as 0.
#define K_LEAST 7.888609052210118e-31f // 2^-100

// k_exp is e^x: at most 2 ulp, infinite above 88.7228, 0 below -103.97.
KERN_DEV float k_exp(float x) {
	x = x > 90.0f ? 90.0f : x; // beyond the range: ∞ and 0 come of the last products
	x = x < -105.0f ? -105.0f : x;
	const float magic = 12582912.0f; // 1.5·2^23: adding it rounds to a whole number
	float t = k_fma(x, 1.4426950408889634f, magic);
	int n = k_bits(t) - k_bits(magic);
	float w = t - magic;
	float r = k_fma(w, -0.693145752f, x);
	r = k_fma(w, -1.42860677e-6f, r);
	float y = 1.0f / 5040;
	y = k_fma(y, r, 1.0f / 720);
	y = k_fma(y, r, 1.0f / 120);
	y = k_fma(y, r, 1.0f / 24);
	y = k_fma(y, r, 1.0f / 6);
	y = k_fma(y, r, 0.5f);
	y = k_fma(y, r, 1.0f);
	y = k_fma(y, r, 1.0f);
	int half = n >> 1; // in two steps: 2^n may be no normal number
	return y * k_float((half + 127) << 23) * k_float((n - half + 127) << 23);
}

// k_artanh2 is 2 artanh s for |s| ≤ 0.1716.
KERN_DEV float k_artanh2(float s) {
	float z = s * s;
	float y = 2.0f / 9;
	y = k_fma(y, z, 2.0f / 7);
	y = k_fma(y, z, 2.0f / 5);
	y = k_fma(y, z, 2.0f / 3);
	return k_fma(y * z, s, 2.0f * s);
}

// k_log is the natural logarithm of a normal x > 0: at most 2 ulp, or 1e-7 near 1.
KERN_DEV float k_log(float x) {
	int b = k_bits(x);
	int e = (b - 0x3f3504f3) >> 23; // the mantissa goes to [√½, √2)
	float f = k_float(b - (e << 23)) - 1.0f;
	float n = (float)e;
	float y = k_fma(n, 0.693145752f, k_fma(n, 1.42860677e-6f, k_artanh2(k_div(f, 2.0f + f))));
	return x < K_INF ? y : x;
}

// k_asinh is arsinh y = 2 artanh(y/(1+w)) for y ≥ 0, w = √(1+y²): from y+w = 2^e (1+f)
// as log does it, but from y itself for e = 0, where f has lost digits. At most 5 ulp.
KERN_DEV float k_asinh(float y, float w) {
	float u = y + w;
	int b = k_bits(u);
	int e = (b - 0x3f3504f3) >> 23;
	float f = k_float(b - (e << 23)) - 1.0f;
	float s = k_div(e ? f : y, e ? 2.0f + f : 1.0f + w);
	float n = (float)e;
	float z = k_fma(n, 0.693145752f, k_fma(n, 1.42860677e-6f, k_artanh2(s)));
	return u < K_INF ? z : u;
}

// The same in double precision, for one number a row: not made for speed.

KERN_DEV double k_exp_d(double x) {
	if (x > 709.0) return (double)K_INF;
	if (x < -745.0) return 0.0;
	const double magic = 6755399441055744.0; // 1.5·2^52
	double t = k_fma_d(x, 1.4426950408889634074, magic);
	long n = k_bits_d(t) - k_bits_d(magic);
	double w = t - magic;
	double r = k_fma_d(w, -0.693147180369123816490, x);
	r = k_fma_d(w, -1.90821492927058770002e-10, r);
	double y = 1.0;
	for (int k = 14; k > 0; k--) y = k_fma_d(y * r, 1.0 / k, 1.0);
	long half = n >> 1;
	return y * k_double((half + 1023) << 52) * k_double((n - half + 1023) << 52);
}

KERN_DEV double k_log_d(double x) {
	if (!(x < (double)K_INF)) return x;
	long b = k_bits_d(x);
	long e = (b - 0x3fe6a09e667f3bcdL) >> 52;
	double f = k_double(b - (e << 52)) - 1.0;
	double s = f / (2.0 + f), z = s * s;
	double y = 0.0;
	for (int k = 23; k > 1; k -= 2) y = k_fma_d(y, z, 2.0 / k);
	y = k_fma_d(y * z, s, 2.0 * s);
	double n = (double)e;
	return k_fma_d(n, 0.693147180369123816490, k_fma_d(n, 1.90821492927058770002e-10, y));
}

KERN_DEV double k_log1p_d(double x) {
	double u = 1.0 + x;
	if (!(u < (double)K_INF)) return u;
	return k_log_d(u) + (x - (u - 1.0)) / u;
}

KERN_DEV double k_asinh_root_d(double zz) {
	return k_log1p_d(k_sqrt_d(zz) + zz / (1.0 + k_sqrt_d(1.0 + zz)));
}

// k_tanh_d returns tanh t for t ≥ 0 and 1/cosh²t.
KERN_DEV double k_tanh_d(double t, double *sech2) {
	double e = k_exp_d(-2.0 * t), s = 1.0 + e;
	*sech2 = 4.0 * e / (s * s);
	if (t < 0.02) { // 1-e would cancel
		double q = t * t;
		return t * (1.0 - q * (1.0 / 3 - q * (2.0 / 15 - q * (17.0 / 315))));
	}
	return (1.0 - e) / s;
}

#endif
