// step.cu: what else a step needs: rows by index, sums, AdamW, heads.
#include "math.h"

// fill writes value to n entries.
KERN(256) void fill(float *x, size_t n, float value) {
	size_t i = (size_t)cta_x * 256 + tid_x;
	if (i < n) x[i] = value;
}

// gather_rows copies the rows index[*now·n + i] of src to the n rows of dst; a
// null now is 0.
KERN(128) void gather_rows(float *dst, const float *__restrict__ src, const int *__restrict__ index, const int *__restrict__ now, int n, int d) {
	int i = cta_x * 4 + tid_x / 32;
	if (i >= n) return;
	size_t from = index[(now ? (size_t)*now * n : 0) + i];
	for (int t = tid_x % 32; t < d; t += 32) dst[(size_t)i * d + t] = src[from * d + t];
}

// gather_ints is gather_rows for integers, one each.
KERN(256) void gather_ints(int *dst, const int *__restrict__ src, const int *__restrict__ index, const int *__restrict__ now, int n) {
	int i = cta_x * 256 + tid_x;
	if (i < n) dst[i] = src[index[(now ? (size_t)*now * n : 0) + i]];
}

// select_ints copies row *now, of n, of src.
KERN(256) void select_ints(int *dst, const int *__restrict__ src, const int *__restrict__ now, int n) {
	int i = cta_x * 256 + tid_x;
	if (i < n) dst[i] = src[(size_t)*now * n + i];
}

// advance adds 1 to a counter.
KERN(32) void advance(int *now) {
	if (tid_x == 0) *now += 1;
}

struct array {
	const double *x;
	size_t n;
};

// block_sum is the sum over a block of 256, valid in thread 0.
KERN_DEV double block_sum(double v) {
	KERN_SHARED double parts[8];
	v = k_warp_sum_d(v);
	if (tid_x % 32 == 0) parts[tid_x / 32] = v;
	k_sync();
	double sum = parts[0];
	for (int w = 1; w < 8; w++) sum += parts[w];
	return sum;
}

// sum_arrays writes the sum of array b to out[b], one block each, and, unless
// history is null, to its row *now.
KERN(256) void sum_arrays(const struct array *__restrict__ arrays, double *out, double *history, const int *__restrict__ now) {
	struct array a = arrays[cta_x];
	double sum = 0.0;
	for (size_t i = tid_x; i < a.n; i += 256) sum += a.x[i];
	sum = block_sum(sum);
	if (tid_x) return;
	out[cta_x] = sum;
	if (history) history[(size_t)*now * ncta_x + cta_x] = sum;
}

// squares writes Σ x² of the block's part of n entries to out[cta_x].
KERN(256) void squares(const float *__restrict__ x, size_t n, double *out) {
	double sum = 0.0;
	for (size_t i = (size_t)cta_x * 256 + tid_x; i < n; i += (size_t)ncta_x * 256) sum += (double)x[i] * (double)x[i];
	sum = block_sum(sum);
	if (tid_x == 0) out[cta_x] = sum;
}

// not_finite counts the entries of the block's part that are NaN or infinite.
KERN(256) void not_finite(const float *__restrict__ x, size_t n, double *out) {
	double count = 0.0;
	for (size_t i = (size_t)cta_x * 256 + tid_x; i < n; i += (size_t)ncta_x * 256)
		if ((k_bits(x[i]) & 0x7f800000) == 0x7f800000) count += 1.0;
	count = block_sum(count);
	if (tid_x == 0) out[cta_x] = count;
}

struct tensor {
	float *w, *g, *m, *v;
	size_t n;
};

struct adam {
	float scale, limit, beta1, beta2, keep, step, root, eps;
};

KERN_DEV void adamw_one(float *w, float x, float *m, float *v, struct adam a) {
	if (a.limit > 0.0f) x = x > a.limit ? a.limit : x < -a.limit ? -a.limit : x;
	x *= a.scale;
	float y = x + a.beta1 * (*m - x), z = x * x + a.beta2 * (*v - x * x);
	*m = y;
	*v = z;
	*w = a.keep * *w - k_div(a.step * y, a.root * k_sqrt(z) + a.eps);
}

// adamw moves count tensors, each of as many blocks as it has 1024 entries; tensor at
// moves by the numbers numbers[*now·count + at]; a null now is 0. With norms, the squared norms of all gradients together, their norm is
// first clipped to most. A limit above 0 cuts entries of the gradient. Tensors begin
// at multiples of 16 bytes.
KERN(256) void adamw(const struct tensor *__restrict__ tensors, const struct adam *__restrict__ numbers, const int *__restrict__ now, int count, const double *__restrict__ norms, int parts, double most) {
	int at = 0;
	size_t block = cta_x;
	for (size_t blocks; at < count - 1 && block >= (blocks = (tensors[at].n + 1023) / 1024); at++) block -= blocks;
	struct tensor t = tensors[at];
	struct adam a = numbers[(now ? (size_t)*now * count : 0) + at];
	if (norms) {
		double nn = 0.0;
		for (int i = 0; i < parts; i++) nn += norms[i];
		nn = k_sqrt_d(nn);
		if (nn > most) a.scale *= (float)(most / nn);
	}
	size_t i = (block * 256 + tid_x) * 4;
	if (i >= t.n) return;
	if (i + 4 > t.n) {
		for (; i < t.n; i++) adamw_one(&t.w[i], t.g[i], &t.m[i], &t.v[i], a);
		return;
	}
	f4 w = *(f4 *)(t.w + i), g = *(f4 *)(t.g + i), m = *(f4 *)(t.m + i), v = *(f4 *)(t.v + i);
	for (int j = 0; j < 4; j++) {
		float x = w[j], y = m[j], z = v[j];
		adamw_one(&x, g[j], &y, &z, a);
		w[j] = x;
		m[j] = y;
		v[j] = z;
	}
	*(f4 *)(t.w + i) = w;
	*(f4 *)(t.m + i) = m;
	*(f4 *)(t.v + i) = v;
}

// add_bias adds b to each of n rows of d.
KERN(256) void add_bias(float *x, const float *__restrict__ b, size_t n, int d) {
	size_t i = (size_t)cta_x * 256 + tid_x;
	if (i < n * d) x[i] += b[i % d];
}

// column_sums sums the n rows of x, 32 columns a block: each warp takes every 16th row.
KERN(512) void column_sums(const float *__restrict__ x, int n, int d, float *out) {
	int j = cta_x * 32 + tid_x % 32;
	double sum = 0.0;
	if (j < d)
		for (int i = tid_x / 32; i < n; i += 16) sum += (double)x[(size_t)i * d + j];
	sum = k_over_warps(sum);
	if (tid_x < 32 && j < d) out[j] = (float)sum;
}

// sum_splits adds the parts of a product: dst = Σ of splits arrays of n.
KERN(256) void sum_splits(float *dst, const float *__restrict__ parts, int splits, size_t n) {
	size_t i = (size_t)cta_x * 256 + tid_x;
	if (i >= n) return;
	float sum = parts[i];
	for (int s = 1; s < splits; s++) sum += parts[(size_t)s * n + i];
	dst[i] = sum;
}
