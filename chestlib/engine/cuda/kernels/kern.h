// kern.h is the dialect that the kernels are written in. One source compiles
// with clang to PTX, without NVIDIA's toolkit or libdevice, and with g++ for the
// processor (KERN_HOST, see fakecuda).
//
// Rules: no libm, no atomics on floats, sums in one fixed order, blocks of whole
// warps, every thread of a warp takes part in a shuffle and every thread of a block in
// a barrier. Contraction is off: a fused multiply-add is written as one.
#ifndef KERN_H
#define KERN_H

#if defined(KERN_HOST)
#include "host_shim.h"
#else
typedef unsigned long size_t;
#define KERN(threads) extern "C" __attribute__((global)) __attribute__((launch_bounds(threads)))
#define KERN2(threads) extern "C" __attribute__((global)) __attribute__((launch_bounds(threads, 2))) // two blocks must fit
#define KERN_DEV static __attribute__((device)) inline __attribute__((always_inline))
#define KERN_SHARED static __attribute__((shared, aligned(16)))
#define tid_x ((int)__nvvm_read_ptx_sreg_tid_x())
#define ntid_x ((int)__nvvm_read_ptx_sreg_ntid_x())
#define cta_x ((int)__nvvm_read_ptx_sreg_ctaid_x())
#define cta_y ((int)__nvvm_read_ptx_sreg_ctaid_y())
#define cta_z ((int)__nvvm_read_ptx_sreg_ctaid_z())
#define ncta_x ((int)__nvvm_read_ptx_sreg_nctaid_x())
KERN_DEV void k_sync() { __syncthreads(); }
KERN_DEV int k_shfl_i(int v, int mask) { return __nvvm_shfl_sync_bfly_i32(0xffffffff, v, mask, 31); }
KERN_DEV float k_fma(float a, float b, float c) { return __nvvm_fma_rn_f(a, b, c); }
KERN_DEV float k_div(float a, float b) { return __nvvm_div_rn_f(a, b); }
KERN_DEV float k_sqrt(float x) { return __nvvm_sqrt_rn_f(x); }
KERN_DEV double k_fma_d(double a, double b, double c) { return __nvvm_fma_rn_d(a, b, c); }
KERN_DEV double k_sqrt_d(double x) { return __nvvm_sqrt_rn_d(x); }
#endif

// f4 is four floats that are loaded and stored at once; 16-byte aligned.
typedef float f4 __attribute__((vector_size(16)));

// load4 reads four entries of a row, 0 beyond its end.
KERN_DEV f4 load4(const float *row, int at, int end, int fast) {
	if (fast && at + 4 <= end) return *(const f4 *)(row + at);
	f4 v = {0.0f, 0.0f, 0.0f, 0.0f};
	for (int j = 0; j < 4; j++)
		if (at + j < end) v[j] = row[at + j];
	return v;
}

// keep4 writes those of four entries that are in the row.
KERN_DEV void keep4(float *row, int at, int end, int fast, f4 v) {
	if (fast && at + 4 <= end) {
		*(f4 *)(row + at) = v;
		return;
	}
	for (int j = 0; j < 4; j++)
		if (at + j < end) row[at + j] = v[j];
}

KERN_DEV int k_bits(float x) { return __builtin_bit_cast(int, x); }
KERN_DEV float k_float(int b) { return __builtin_bit_cast(float, b); }
KERN_DEV long k_bits_d(double x) { return __builtin_bit_cast(long, x); }
KERN_DEV double k_double(long b) { return __builtin_bit_cast(double, b); }

// Sums and maxima over the warp, the same in all its lanes. Lane i takes that of
// lane i^m for m = 16, 8, 4, 2, 1; the shim adds up in the same order.
#if !defined(KERN_HOST)
KERN_DEV float k_shfl(float v, int mask) { return k_float(k_shfl_i(k_bits(v), mask)); }
KERN_DEV double k_shfl_d(double v, int mask) {
	long b = k_bits_d(v);
	int lo = k_shfl_i((int)b, mask), hi = k_shfl_i((int)(b >> 32), mask);
	return k_double((long)((unsigned long)(unsigned)lo | (unsigned long)(unsigned)hi << 32));
}
KERN_DEV float k_warp_sum(float v) {
	for (int m = 16; m; m >>= 1) v += k_shfl(v, m);
	return v;
}
KERN_DEV double k_warp_sum_d(double v) {
	for (int m = 16; m; m >>= 1) v += k_shfl_d(v, m);
	return v;
}
KERN_DEV float k_warp_max(float v) {
	for (int m = 16; m; m >>= 1) {
		float w = k_shfl(v, m);
		v = w > v ? w : v;
	}
	return v;
}
#endif

// k_over_warps is the sum over a block of 16 warps, lane by lane. Every thread takes part.
KERN_DEV double k_over_warps(double v) {
	KERN_SHARED double parts[16][32];
	k_sync(); // what was summed before has been read
	parts[tid_x / 32][tid_x % 32] = v;
	k_sync();
	double sum = parts[0][tid_x % 32];
	for (int w = 1; w < 16; w++) sum += parts[w][tid_x % 32];
	return sum;
}

#endif
