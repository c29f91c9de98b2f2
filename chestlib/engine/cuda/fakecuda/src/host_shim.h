// host_shim.h runs kernels on the processor: one fiber for each thread of a
// block, so that barriers and shuffles mean what they mean on a device and
// threads that miss one are found.
#ifndef HOST_SHIM_H
#define HOST_SHIM_H
#include <cmath>
#include <cstddef>

#define KERN(threads) extern "C"
#define KERN_DEV static inline
// Shared variables lie in a section of their own: it is filled with NaN before each block.
#define KERN_SHARED static __attribute__((section("kern_shared"), aligned(16)))

struct shim_dim { int x, y, z; };
extern shim_dim shim_cta, shim_ncta, shim_ntid;
extern int shim_tid;
extern "C" void shim_barrier();
extern "C" int shim_shuffle(int v, int mask);

#define tid_x shim_tid
#define ntid_x shim_ntid.x
#define cta_x shim_cta.x
#define cta_y shim_cta.y
#define cta_z shim_cta.z
#define ncta_x shim_ncta.x
static inline void k_sync() { shim_barrier(); }
static inline int k_shfl_i(int v, int mask) { return shim_shuffle(v, mask); }
static inline float k_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline float k_div(float a, float b) { return a / b; }
static inline float k_sqrt(float x) { return __builtin_sqrtf(x); }
static inline double k_fma_d(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline double k_sqrt_d(double x) { return __builtin_sqrt(x); }
#endif
