"""Timing as chest bench does it: warm runs, then the median and least of many.

Import this before torch: the number of threads of its BLAS and of its backward
pass is read from the environment once.
"""
import json
import os
import resource
import statistics
import sys
import time

for at, arg in enumerate(sys.argv[:-1]):
    if arg == "--threads":
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = sys.argv[at + 1]


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(name, sizes, run, runs, seconds, flops, more=None):
    """Prints one JSON line. run() is one run; flops is the work of one; more is
    what else it found."""
    warm = time.perf_counter()
    for _ in range(3):
        run()
        if time.perf_counter() - warm > seconds:
            break
    times = []
    begin, cpu = time.perf_counter(), time.process_time()
    while len(times) < runs or time.perf_counter() - begin < seconds:
        t = time.perf_counter()
        run()
        times.append((time.perf_counter() - t) * 1e3)
    cpu = (time.process_time() - cpu) * 1e3 / len(times)
    median = statistics.median(times)
    print(json.dumps({"bench": name, **sizes, "runs": len(times), "median_ms": median, "min_ms": min(times), "cpu_ms": cpu,
                      "gflops": flops / median / 1e6, "peak_mb": peak_mb(), **(more or {})}))
