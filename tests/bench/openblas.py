"""A float32 product by OpenBLAS, called without numpy."""
import argparse
import ctypes

from timing import report

p = argparse.ArgumentParser()
for name, value in [("m", 1024), ("n", 1024), ("k", 1024), ("threads", 1), ("runs", 5)]:
    p.add_argument("--" + name, type=int, default=value)
p.add_argument("--ta", action="store_true")
p.add_argument("--tb", action="store_true")
p.add_argument("--seconds", type=float, default=1)
a = p.parse_args()
blas = ctypes.CDLL("libopenblas.so.0")
blas.openblas_set_num_threads(a.threads)
blas.openblas_get_corename.restype = ctypes.c_char_p
scalar, size = ctypes.c_float, ctypes.c_int


def matrix(rows, cols):
    x = (scalar * (rows * cols))()
    for i in range(0, rows * cols):
        x[i] = (i * 2654435761 % 1000) / 1000 - 0.5
    return x


left, right, dst = matrix(a.m, a.k), matrix(a.k, a.n), (scalar * (a.m * a.n))()
ROWS, PLAIN, TRANSPOSED = 101, 111, 112
lda, ldb = (a.m if a.ta else a.k), (a.k if a.tb else a.n)


def run():
    blas.cblas_sgemm(ROWS, TRANSPOSED if a.ta else PLAIN, TRANSPOSED if a.tb else PLAIN, size(a.m), size(a.n), size(a.k),
                     scalar(1), left, size(lda), right, size(ldb), scalar(0), dst, size(a.n))


report("gemm", {"m": a.m, "n": a.n, "k": a.k, "threads": a.threads}, run, a.runs, a.seconds, 2 * a.m * a.n * a.k,
       {"kernel": blas.openblas_get_corename().decode()})
