// host_shim.h runs kernels on the processor: one fiber for each thread of a
// block, so that barriers and shuffles mean what they mean on a device and
// threads that miss one are found.
#ifndef HOST_SHIM_H
#define HOST_SHIM_H
#include <cmath>
#include <cstddef>

#define KERN(threads) extern "C"
#define KERN2(threads) extern "C"
#define KERN_DEV static inline
// Shared variables lie in a section of their own: it is filled with NaN before each block.
#define KERN_SHARED static __attribute__((section("kern_shared"), aligned(16)))

struct shim_dim { int x, y, z; };
extern shim_dim shim_cta, shim_ncta, shim_ntid;
extern int shim_tid;
extern "C" void shim_barrier();
// exchange is where the lanes of a warp meet.
struct shim_exchange {
	long lane[32];
	long result; // of the first lane that went on
	bool there;
};
// shim_warp publishes v and, when all lanes of the warp have, returns what they did.
extern "C" shim_exchange *shim_warp(long v);

#define tid_x shim_tid
#define ntid_x shim_ntid.x
#define cta_x shim_cta.x
#define cta_y shim_cta.y
#define cta_z shim_cta.z
#define ncta_x shim_ncta.x
static inline void k_sync() { shim_barrier(); }
template <class T> static inline T shim_fold(T v, T (*f)(T, T)) {
	long bits = 0;
	__builtin_memcpy(&bits, &v, sizeof v);
	shim_exchange *all = shim_warp(bits);
	T t[32];
	if (!all->there) { // the same for all lanes
		for (int i = 0; i < 32; i++) __builtin_memcpy(&t[i], &all->lane[i], sizeof v);
		for (int m = 16; m; m >>= 1)
			for (int i = 0; i < m; i++) t[i] = f(t[i], t[i + m]);
		__builtin_memcpy(&all->result, &t[0], sizeof v);
		all->there = true;
	}
	__builtin_memcpy(&t[0], &all->result, sizeof v);
	return t[0];
}
static inline float k_warp_sum(float v) { return shim_fold<float>(v, [](float a, float b) { return a + b; }); }
static inline double k_warp_sum_d(double v) { return shim_fold<double>(v, [](double a, double b) { return a + b; }); }
static inline float k_warp_max(float v) { return shim_fold<float>(v, [](float a, float b) { return b > a ? b : a; }); }
static inline float k_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline float k_div(float a, float b) { return a / b; }
static inline float k_sqrt(float x) { return __builtin_sqrtf(x); }
static inline double k_fma_d(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline double k_sqrt_d(double x) { return __builtin_sqrt(x); }
#endif
