// trunk.cu: the layers of a trunk that are not products: LayerNorm and GELU.
#include "math.h"

// layer_norm brings the n rows x of d to mean 0 and variance 1, one warp each,
// then y = gain x̂ + bias. mean and root, 1/√(var + ε), are kept by row.
KERN(128) void layer_norm(const float *__restrict__ x, const float *__restrict__ gain, const float *__restrict__ bias, int n, int d, double eps, float *y, double *mean, double *root) {
	int i = cta_x * 4 + tid_x / 32, lane = tid_x % 32;
	if (i >= n) return;
	const float *row = x + (size_t)i * d;
	double sum = 0.0, square = 0.0;
	for (int t = lane; t < d; t += 32) sum += (double)row[t];
	double m = k_warp_sum_d(sum) / d;
	for (int t = lane; t < d; t += 32) square += ((double)row[t] - m) * ((double)row[t] - m);
	double r = 1.0 / k_sqrt_d(k_warp_sum_d(square) / d + eps);
	for (int t = lane; t < d; t += 32) y[(size_t)i * d + t] = (float)(((double)row[t] - m) * r) * gain[t] + bias[t];
	if (lane) return;
	mean[i] = m;
	root[i] = r;
}

// layer_norm_rows is the gradient by x, added to dst if add is set: with
// h = gain gy and means over the row, dst = root (h - mean(h) - x̂ mean(h x̂)).
KERN(128) void layer_norm_rows(float *dst, int add, const float *__restrict__ x, const double *__restrict__ mean, const double *__restrict__ root, const float *__restrict__ gain, const float *__restrict__ gy, int n, int d) {
	int i = cta_x * 4 + tid_x / 32, lane = tid_x % 32;
	if (i >= n) return;
	size_t at = (size_t)i * d;
	double m = mean[i], r = root[i], h = 0.0, hx = 0.0;
	for (int t = lane; t < d; t += 32) {
		double g = (double)gain[t] * (double)gy[at + t];
		h += g;
		hx += g * ((double)x[at + t] - m) * r;
	}
	h = k_warp_sum_d(h) / d;
	hx = k_warp_sum_d(hx) / d;
	for (int t = lane; t < d; t += 32) {
		double g = (double)gain[t] * (double)gy[at + t];
		float v = (float)(r * (g - h - ((double)x[at + t] - m) * r * hx));
		dst[at + t] = add ? dst[at + t] + v : v;
	}
}

// layer_norm_columns sums the gradients by gain and bias over n rows, 32 columns a
// block: each warp takes every 16th row.
KERN(512) void layer_norm_columns(float *by_gain, float *by_bias, const float *__restrict__ x, const double *__restrict__ mean, const double *__restrict__ root, const float *__restrict__ gy, int n, int d) {
	int j = cta_x * 32 + tid_x % 32;
	double gain = 0.0, bias = 0.0;
	for (int i = tid_x / 32; j < d && i < n; i += 16) {
		double g = (double)gy[(size_t)i * d + j];
		gain += g * ((double)x[(size_t)i * d + j] - mean[i]) * root[i];
		bias += g;
	}
	gain = k_over_warps(gain);
	bias = k_over_warps(bias);
	if (tid_x >= 32 || j >= d) return;
	by_gain[j] = (float)gain;
	by_bias[j] = (float)bias;
}

// normal is Φ(x), the normal distribution function, and φ(x), its density. With
// z = |x|/√2 it sums erf's series of positive terms below 2, and above takes 16
// levels of erfc's continued fraction; from both on 1e-9 is left.
KERN_DEV double normal(double x, double *density) {
	double z = (x < 0.0 ? -x : x) * 0.70710678118654752440, e = k_exp_d(-z * z);
	*density = e * 0.39894228040143267794;
	double tail; // Φ(-|x|)
	if (z < 2.0) {
		double term = z, sum = z;
		for (int k = 1; k <= 32; k++) {
			term *= 2.0 * z * z / (2 * k + 1);
			sum += term;
		}
		tail = 0.5 - 0.56418958354775628695 * e * sum;
	} else {
		double f = z;
		for (int k = 16; k > 0; k--) f = z + 0.5 * k / f;
		tail = 0.28209479177387814347 * e / f;
	}
	return x < 0.0 ? tail : 1.0 - tail;
}

// gelu is y = x Φ(x), entry by entry.
KERN(256) void gelu(float *y, const float *__restrict__ x, size_t n) {
	size_t i = (size_t)cta_x * 256 + tid_x;
	if (i >= n) return;
	double density, v = x[i];
	y[i] = (float)(v * normal(v, &density));
}

// gelu_rows is the gradient by x, added to dst if add is set: gy (Φ(x) + x φ(x)).
KERN(256) void gelu_rows(float *dst, int add, const float *__restrict__ x, const float *__restrict__ gy, size_t n) {
	size_t i = (size_t)cta_x * 256 + tid_x;
	if (i >= n) return;
	double density, v = x[i], p = normal(v, &density);
	float g = (float)((double)gy[i] * (p + v * density));
	dst[i] = add ? dst[i] + g : g;
}
