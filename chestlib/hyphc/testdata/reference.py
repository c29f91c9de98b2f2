#!/usr/bin/python3
"""Writes reference.json: lowest common ancestors and triplet losses in 50 digits.

    apt-get install python3-mpmath
    python3 reference.py > reference.json

The ancestor is constructed, not taken from the closed form of the package: the
segment is cut into thirds (golden section) until the distance from the origin
is least, the point being x ⊕ t⊗((-x)⊕y); the whole segment is unimodal. Its
gradient is a central difference of the circle construction (centre of the
geodesic's circle from two linear equations). Inputs are doubles.
"""

import json
import platform
import random

import mpmath
from mpmath import mp, mpf

mp.dps = 50
SEED = 20240612
rng = random.Random(SEED)


def dot(x, y):
    return mp.fsum(a * b for a, b in zip(x, y))


def mobius_add(x, y, c):
    xy, xx, yy = dot(x, y), dot(x, x), dot(y, y)
    den = 1 + 2 * c * xy + c * c * xx * yy
    return [((1 + 2 * c * xy + c * yy) * a + (1 - c * xx) * b) / den for a, b in zip(x, y)]


def norm(x):
    return mp.sqrt(dot(x, x))


def depth(x, c):
    s = mp.sqrt(c)
    return 2 / s * mp.atanh(s * norm(x))


def segment_lca(a, b, c):
    """Least distance from the origin over the segment, by golden section."""
    m = mobius_add([-x for x in a], b, c)
    s, n = mp.sqrt(c), norm(m)
    full = mp.atanh(s * n)

    def f(t):
        y = [mp.tanh(t * full) / (s * n) * x for x in m]
        return depth(mobius_add(a, y, c), c)

    lo, hi, ratio = mpf(0), mpf(1), (mp.sqrt(5) - 1) / 2
    p, q = hi - ratio * (hi - lo), lo + ratio * (hi - lo)
    fp, fq = f(p), f(q)
    for _ in range(150):
        if fp < fq:
            hi, q, fq = q, p, fp
            p = hi - ratio * (hi - lo)
            fp = f(p)
        else:
            lo, p, fp = p, q, fq
            q = lo + ratio * (hi - lo)
            fq = f(q)
    t = (lo + hi) / 2
    return f(t), t


def circle_lca(a, b, c):
    """Distance of the whole geodesic: its circle has centre M = p a + q b with
    2 M.x = 1/c + |x|^2 for x = a, b."""
    aa, bb, ab = dot(a, a), dot(b, b), dot(a, b)
    r, t = (1 / c + aa) / 2, (1 / c + bb) / 2
    det = aa * bb - ab * ab
    p, q = (r * bb - t * ab) / det, (t * aa - r * ab) / det
    m = [p * x + q * y for x, y in zip(a, b)]
    radius = mp.sqrt(dot(m, m) - 1 / c)
    closest = norm(m) - radius
    return 2 / mp.sqrt(c) * mp.atanh(mp.sqrt(c) * closest)


def lca(a, b, c, t):
    """The branch that the golden section found, as a smooth function."""
    if t < mpf(10) ** -15:
        return depth(a, c)
    if t > 1 - mpf(10) ** -15:
        return depth(b, c)
    return circle_lca(a, b, c)


def gradient(f, x):
    h, g = mpf(10) ** -15, []
    for i in range(len(x)):
        up, down = list(x), list(x)
        up[i] += h
        down[i] -= h
        g.append((f(up) - f(down)) / (2 * h))
    return g


def point(c, d, r):
    v = [rng.gauss(0, 1) for _ in range(d)]
    n = sum(a * a for a in v) ** 0.5
    return [float(a / n * r * c ** -0.5) for a in v]


def lca_case(c, d, ra, rb):
    a, b = point(c, d, ra), point(c, d, rb)
    A, B, C = [mpf(x) for x in a], [mpf(x) for x in b], mpf(c)
    value, t = segment_lca(A, B, C)
    ga = gradient(lambda z: lca(z, B, C, t), A)
    gb = gradient(lambda z: lca(A, z, C, t), B)
    end = "a" if t < mpf(10) ** -15 else "b" if t > 1 - mpf(10) ** -15 else "between"
    return dict(c=c, a=a, b=b, foot=end, lca=float(value),
                grad_a=[float(x) for x in ga], grad_b=[float(x) for x in gb])


def triplet_case(temperature):
    d = [rng.uniform(0, 5) for _ in range(3)]
    w = [rng.random() for _ in range(3)]
    W, T = [mpf(x) for x in w], mpf(temperature)

    def loss(z):
        e = [mp.exp(x / T) for x in z]
        return sum(W) - dot(W, e) / sum(e)

    D = [mpf(x) for x in d]
    return dict(depth=d, w=w, temperature=temperature, loss=float(loss(D)),
                grad=[float(x) for x in gradient(loss, D)])


RADII = [(0.5, 0.6), (0.9, 0.2), (0.1, 0.95), (0.7, 0.7), (1 - 1e-6, 0.8), (1 - 1e-6, 1 - 1e-6)]
print(json.dumps(dict(
    script="chestlib/hyphc/testdata/reference.py",
    seed=SEED,
    versions=dict(python=platform.python_version(), mpmath=mpmath.__version__, digits=mp.dps),
    lca=[lca_case(c, d, ra, rb) for c in (1e-3, 0.1, 1.0, 10.0) for d in (2, 5) for ra, rb in RADII],
    triplets=[triplet_case(t) for t in (0.01, 0.1, 1.0, 10.0)],
), indent=1))
