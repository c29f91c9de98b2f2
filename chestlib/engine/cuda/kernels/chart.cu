// chart.cu: rows become points of their space, and gradients by points become
// gradients by rows. x = f u, with f from ‖u‖; pulled back, g becomes α g + β (u·g) u.
#include "math.h"

// slope is (tanh(t)/t)′/t.
KERN_DEV double slope(double t, double tanh, double sech2) {
	if (t < 0.02) return -2.0 / 3 + t * t * (8.0 / 15); // the difference would cancel
	return (sech2 - tanh / t) / (t * t);
}

// chart_rows maps n rows of d, one warp each: onto the sphere, or by clip_r and
// expmap₀ into the ball of curvature -c. It writes the points x, α and β of
// the pull, and, unless null, ‖x‖², 1-c‖x‖², its inverse and 1 where ‖u‖ ≥ r.
//
// round rounds the points to the 10 bits of TF32, and takes what follows from
// them from the rounded ones: products on tensor cores are then exact, and
// distances from them are those of the rounded points, also small ones.
KERN(128) void chart_rows(const float *__restrict__ u, int n, int d, int sphere, double c, double r, int round, float *x, double *alpha, double *beta, float *xx, float *room, float *inverse, double *clipped) {
	int i = cta_x * 4 + tid_x / 32, lane = tid_x % 32;
	if (i >= n) return;
	const float *row = u + (size_t)i * d;
	double nn = 0.0;
	for (int t = lane; t < d; t += 32) nn += (double)row[t] * (double)row[t];
	nn = k_warp_sum_d(nn);
	double norm = k_sqrt_d(nn), f = 1.0, al = 1.0, be = 0.0, open = 1.0;
	if (sphere) {
		f = al = norm == 0.0 ? 0.0 : 1.0 / norm;
		be = norm == 0.0 ? 0.0 : -1.0 / (norm * nn);
	} else {
		double length = norm;
		if (norm > r) {
			length = r;
			f = r / norm;
		}
		double t = k_sqrt_d(c) * length;
		if (!(t <= 0.0)) {
			double sech2, tanh = k_tanh_d(t, &sech2);
			open = sech2;
			al = tanh / t;
			f *= al;
			be = c * slope(t, tanh, sech2);
		}
		if (norm > r) { // what points outwards is lost
			al = f;
			be = -f / nn;
		}
	}
	double sum = 0.0;
	for (int t = lane; t < d; t += 32) {
		float v = (float)f * row[t];
		if (round) v = k_float((k_bits(v) + 0xfff + (k_bits(v) >> 13 & 1)) & ~0x1fff);
		x[(size_t)i * d + t] = v;
		sum += (double)v * (double)v;
	}
	sum = k_warp_sum_d(sum);
	if (lane) return;
	if (round && !sphere) open = 1.0 - c * sum;
	alpha[i] = al;
	beta[i] = be;
	if (xx) xx[i] = (float)sum;
	if (room) room[i] = (float)open;
	if (inverse) inverse[i] = (float)(1.0 / open);
	if (clipped) clipped[i] = norm >= r ? 1.0 : 0.0;
}

// finish_rows sums what there is of the gradient by the points x, n rows of d,
// one warp each, and pulls it back to dst, to which it is added if add is set:
//
//	g = Σ splits of g + (Σ w + c Σ v / room) x                 parts of w and v
//	  + Σ_l diag_l x + Σ_l coef_l x_l        unless coef is null: l of the row's k
//	dst = α g + β (u·g) u
//
// g is overwritten. norm[i] becomes ‖dst‖².
KERN(128) void finish_rows(float *dst, int add, const float *__restrict__ u, const float *__restrict__ x, float *g, int splits, int n, int d, const double *__restrict__ alpha, const double *__restrict__ beta, const float *__restrict__ w, const float *__restrict__ v, int parts, const float *__restrict__ room, double c, const float *__restrict__ coef, const float *__restrict__ diag, int k, double *norm) {
	int i = cta_x * 4 + tid_x / 32, lane = tid_x % 32;
	if (i >= n) return;
	size_t at = (size_t)i * d, all = (size_t)n * d;
	double own = 0.0;
	if (parts) {
		double W = 0.0, V = 0.0;
		for (int p = lane; p < parts; p += 32) {
			W += (double)w[(size_t)p * n + i];
			V += (double)v[(size_t)p * n + i];
		}
		own = k_warp_sum_d(W) + c * k_warp_sum_d(V) / (double)room[i];
	}
	int first = coef ? i / k * k : 0;
	if (coef && diag)
		for (int l = 0; l < k; l++)
			if (first + l != i) own += (double)diag[(size_t)i * k + l];
	int fast = (d & 3) == 0; // rows begin at multiples of 16 bytes
	double dot = 0.0;
	for (int t = lane * 4; t < d; t += 128) {
		f4 a = load4(x + at, t, d, fast), b = load4(u + at, t, d, fast), y;
		double sum[4];
		for (int j = 0; j < 4; j++) sum[j] = own * (double)a[j];
		for (int s = 0; s < splits; s++) {
			a = load4(g + s * all + at, t, d, fast);
			for (int j = 0; j < 4; j++) sum[j] += (double)a[j];
		}
		if (coef)
			for (int l = 0; l < k; l++) {
				if (first + l == i) continue;
				double f = (double)coef[(size_t)i * k + l];
				a = load4(x + (size_t)(first + l) * d, t, d, fast);
				for (int j = 0; j < 4; j++) sum[j] += f * (double)a[j];
			}
		for (int j = 0; j < 4; j++) {
			y[j] = (float)sum[j];
			if (t + j < d) dot += (double)b[j] * (double)y[j];
		}
		keep4(g + at, t, d, fast, y);
	}
	dot = k_warp_sum_d(dot);
	double al = alpha[i], along = beta[i] * dot, nn = 0.0;
	for (int t = lane * 4; t < d; t += 128) {
		f4 a = load4(g + at, t, d, fast), b = load4(u + at, t, d, fast), old = {0.0f, 0.0f, 0.0f, 0.0f}, y;
		if (add) old = load4(dst + at, t, d, fast);
		for (int j = 0; j < 4; j++) {
			y[j] = (float)(al * (double)a[j] + along * (double)b[j] + (double)old[j]);
			if (t + j < d) nn += (double)y[j] * (double)y[j];
		}
		keep4(dst + at, t, d, fast, y);
	}
	nn = k_warp_sum_d(nn);
	if (lane == 0 && norm) norm[i] = nn;
}
