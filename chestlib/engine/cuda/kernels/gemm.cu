// gemm.cu: matrix products in float32.
#include "math.h"

#define GM 128 // rows of a tile
#define GN 128 // columns
#define GK 16  // depth
#define GP (GM + 4)

// take reads this thread's part of a tile of 128×16 entries (wide × deep):
// across, matrix rows run along the depth; else along the width.
KERN_DEV void take(f4 *v, const float *a, int across, size_t ld, int fast, int wide0, int wide, int deep0, int deep) {
	int t = tid_x;
	for (int h = 0; h < 2; h++) {
		if (across) {
			int w = wide0 + t / 4 + h * 64;
			f4 zero = {0.0f, 0.0f, 0.0f, 0.0f};
			v[h] = w < wide ? load4(a + (size_t)w * ld, deep0 + t % 4 * 4, deep, fast) : zero;
		} else {
			int k = deep0 + t / 32 + h * 8;
			f4 zero = {0.0f, 0.0f, 0.0f, 0.0f};
			v[h] = k < deep ? load4(a + (size_t)k * ld, wide0 + t % 32 * 4, wide, fast) : zero;
		}
	}
}

// put stores what take read into shared memory, depth first.
KERN_DEV void put(float (*tile)[GP], const f4 *v, int across) {
	int t = tid_x;
	for (int h = 0; h < 2; h++) {
		if (across) {
			for (int j = 0; j < 4; j++) tile[t % 4 * 4 + j][t / 4 + h * 64] = v[h][j];
		} else {
			*(f4 *)&tile[t / 32 + h * 8][t % 32 * 4] = v[h];
		}
	}
}

// GEMM_BODY computes one tile of
//
//	C = alpha op(A) op(B) + beta C,  op(A) is m×k, op(B) k×n
//
// Block (x, y, z) takes columns x·128…, rows y·128… and the depth z·part…
// (z+1)·part; for more than one z each writes to its own m×n of c, dense, for a sum
// in order later. 256 threads, 8×8 entries each.
#define GEMM_BODY(A_ACROSS, B_ACROSS)                                                      \
	KERN_SHARED float as[2][GK][GP];                                                       \
	KERN_SHARED float bs[2][GK][GP];                                                       \
	int row0 = cta_y * GM, col0 = cta_x * GN, tx = tid_x % 16, ty = tid_x / 16;            \
	int from = cta_z * part, to = from + part < k ? from + part : k;                       \
	int fastA = (lda & 3) == 0 && ((size_t)a & 15) == 0;                                   \
	int fastB = (ldb & 3) == 0 && ((size_t)b & 15) == 0;                                   \
	f4 nextA[2], nextB[2], low[8], high[8];                                                \
	for (int i = 0; i < 8; i++)                                                            \
		for (int j = 0; j < 4; j++) low[i][j] = high[i][j] = 0.0f;                         \
	take(nextA, a, A_ACROSS, lda, fastA, row0, m, from, to);                               \
	take(nextB, b, B_ACROSS, ldb, fastB, col0, n, from, to);                               \
	put(as[0], nextA, A_ACROSS);                                                           \
	put(bs[0], nextB, B_ACROSS);                                                           \
	k_sync();                                                                              \
	int now = 0;                                                                           \
	for (int at = from; at < to; at += GK) {                                               \
		int more = at + GK < to;                                                           \
		if (more) {                                                                        \
			take(nextA, a, A_ACROSS, lda, fastA, row0, m, at + GK, to);                    \
			take(nextB, b, B_ACROSS, ldb, fastB, col0, n, at + GK, to);                    \
		}                                                                                  \
		_Pragma("unroll 8") for (int d = 0; d < GK; d++) {                                 \
			f4 a0 = *(const f4 *)&as[now][d][ty * 4], a1 = *(const f4 *)&as[now][d][64 + ty * 4]; \
			f4 b0 = *(const f4 *)&bs[now][d][tx * 4], b1 = *(const f4 *)&bs[now][d][64 + tx * 4]; \
			_Pragma("unroll") for (int i = 0; i < 4; i++)                                  \
				_Pragma("unroll") for (int j = 0; j < 4; j++) {                            \
				low[i][j] = k_fma(a0[i], b0[j], low[i][j]);                                \
				high[i][j] = k_fma(a0[i], b1[j], high[i][j]);                              \
				low[i + 4][j] = k_fma(a1[i], b0[j], low[i + 4][j]);                        \
				high[i + 4][j] = k_fma(a1[i], b1[j], high[i + 4][j]);                      \
			}                                                                              \
		}                                                                                  \
		if (more) {                                                                        \
			put(as[now ^ 1], nextA, A_ACROSS);                                             \
			put(bs[now ^ 1], nextB, B_ACROSS);                                             \
		}                                                                                  \
		k_sync();                                                                          \
		now ^= 1;                                                                          \
	}                                                                                      \
	c += (size_t)cta_z * (size_t)m * (size_t)n;                                            \
	_Pragma("unroll") for (int i = 0; i < 8; i++) {                                        \
		int r = row0 + ty * 4 + i % 4 + i / 4 * 64;                                        \
		if (r < m) {                                                                       \
			store4(c + (size_t)r * ldc, col0 + tx * 4, n, low[i], alpha, beta);            \
			store4(c + (size_t)r * ldc, col0 + 64 + tx * 4, n, high[i], alpha, beta);      \
		}                                                                                  \
	}

KERN_DEV void store4(float *row, int at, int end, f4 v, float alpha, float beta) {
	if (at + 4 <= end && ((size_t)(row + at) & 15) == 0 && beta == 0.0f) {
		f4 w;
		for (int j = 0; j < 4; j++) w[j] = alpha * v[j];
		*(f4 *)(row + at) = w;
		return;
	}
	for (int j = 0; j < 4; j++)
		if (at + j < end) row[at + j] = beta == 0.0f ? alpha * v[j] : k_fma(beta, row[at + j], alpha * v[j]);
}

// gemm_nn: A is m×k, B is k×n, both as they stand.
KERN2(256) void gemm_nn(const float *__restrict__ a, const float *__restrict__ b, float *c, int m, int n, int k, int lda, int ldb, int ldc, int part, float alpha, float beta) {
	GEMM_BODY(1, 0)
}

// gemm_nt: B is given as n×k.
KERN2(256) void gemm_nt(const float *__restrict__ a, const float *__restrict__ b, float *c, int m, int n, int k, int lda, int ldb, int ldc, int part, float alpha, float beta) {
	GEMM_BODY(1, 1)
}

// gemm_tn: A is given as k×m.
KERN2(256) void gemm_tn(const float *__restrict__ a, const float *__restrict__ b, float *c, int m, int n, int k, int lda, int ldb, int ldc, int part, float alpha, float beta) {
	GEMM_BODY(0, 0)
}
