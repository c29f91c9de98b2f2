#!/usr/bin/python3
"""Writes reference.json: operations of the Poincaré ball in 50 digits.

    apt-get install python3-mpmath
    python3 reference.py > reference.json

Every value comes from the textbook's formula (Möbius addition, artanh distance),
not from the regrouped forms of the package; gradients are central differences
with a step of 1e-20. Inputs are doubles and are stored exactly.
"""

import json
import platform
import random

import mpmath
from mpmath import mp, mpf

mp.dps = 50
SEED = 20240611
rng = random.Random(SEED)


def dot(x, y):
    return mp.fsum(a * b for a, b in zip(x, y))


def norm(x):
    return mp.sqrt(dot(x, x))


def times(t, x):
    return [t * a for a in x]


def mobius_add(x, y, c):
    xy, xx, yy = dot(x, y), dot(x, x), dot(y, y)
    den = 1 + 2 * c * xy + c * c * xx * yy
    return [((1 + 2 * c * xy + c * yy) * a + (1 - c * xx) * b) / den for a, b in zip(x, y)]


def mobius_scale(t, x, c):
    z = mp.sqrt(c) * norm(x)
    return times(mp.tanh(t * mp.atanh(z)) / z, x)


def distance(x, y, c):
    s = mp.sqrt(c)
    return 2 / s * mp.atanh(s * norm(mobius_add(times(-1, x), y, c)))


def conformal(x, c):
    return 2 / (1 - c * dot(x, x))


def expmap(x, v, c):
    s, n = mp.sqrt(c), norm(v)
    return mobius_add(x, times(mp.tanh(s * conformal(x, c) * n / 2) / (s * n), v), c)


def logmap(x, y, c):
    s, m = mp.sqrt(c), mobius_add(times(-1, x), y, c)
    n = norm(m)
    return times(2 / (s * conformal(x, c)) * mp.atanh(s * n) / n, m)


def expmap0(u, c):
    return expmap([mpf(0)] * len(u), times(mpf(1), u), c)


def logmap0(x, c):
    return logmap([mpf(0)] * len(x), x, c)


def geodesic(x, y, t, c):
    return mobius_add(x, mobius_scale(t, mobius_add(times(-1, x), y, c), c), c)


def gyration(u, v, w, c):
    """By its definition from three additions; w is scaled into the ball."""
    k = mpf(1) / 1000
    left = times(-1, mobius_add(u, v, c))
    return times(1 / k, mobius_add(left, mobius_add(u, mobius_add(v, times(k, w), c), c), c))


def transport(x, y, v, c):
    return times(conformal(x, c) / conformal(y, c), gyration(y, times(-1, x), v, c))


def gradient(f, x):
    """Central differences; f maps a vector to a number."""
    h, g = mpf(10) ** -20, []
    for i in range(len(x)):
        up, down = list(x), list(x)
        up[i] += h
        down[i] -= h
        g.append((f(up) - f(down)) / (2 * h))
    return g


def frechet_mean(points, c):
    m = [mpf(0)] * len(points[0])
    for _ in range(4000):
        logs = [logmap(m, p, c) for p in points]
        step = [mp.fsum(col) / len(points) for col in zip(*logs)]
        if norm(step) < mpf(10) ** -30:
            return m
        m = expmap(m, times(mpf(1) / 4, step), c)
    raise ArithmeticError("no convergence")


def direction(d):
    v = [rng.gauss(0, 1) for _ in range(d)]
    n = sum(a * a for a in v) ** 0.5
    return [a / n for a in v]


def doubles(x):
    """Rounds to doubles, which is what the package is given."""
    return [float(a) for a in x]


def out(x):
    return [float(a) for a in x] if isinstance(x, list) else float(x)


def case(c, d, rx, ry):
    s = c ** -0.5
    x = doubles(a * rx * s for a in direction(d))
    y = doubles(a * ry * s for a in direction(d))
    v = doubles(a * 0.4 * s * (1 - rx) for a in direction(d))
    g, t = doubles(direction(d)), 0.3
    X, Y, V, G, C, T = [mpf(a) for a in x], [mpf(a) for a in y], [mpf(a) for a in v], [mpf(a) for a in g], mpf(c), mpf(t)
    r = dict(c=c, x=x, y=y, v=v, g=g, t=t)
    r["mobius_add"] = mobius_add(X, Y, C)
    r["mobius_scale"] = mobius_scale(T, X, C)
    r["distance"] = distance(X, Y, C)
    r["distance0"] = distance([mpf(0)] * d, X, C)
    r["expmap0"] = expmap0(V, C)
    r["logmap0"] = logmap0(X, C)
    r["expmap"] = expmap(X, V, C)
    r["logmap"] = logmap(X, Y, C)
    r["geodesic"] = geodesic(X, Y, T, C)
    r["gyration"] = gyration(X, Y, G, C)
    r["transport"] = transport(X, Y, V, C)
    r["distance_grad_x"] = gradient(lambda z: distance(z, Y, C), X)
    r["distance_grad_y"] = gradient(lambda z: distance(X, z, C), Y)
    r["distance0_grad"] = gradient(lambda z: distance([mpf(0)] * d, z, C), X)
    r["mobius_add_grad_x"] = gradient(lambda z: dot(G, mobius_add(z, Y, C)), X)
    r["mobius_add_grad_y"] = gradient(lambda z: dot(G, mobius_add(X, z, C)), Y)
    r["mobius_scale_grad"] = gradient(lambda z: dot(G, mobius_scale(T, z, C)), X)
    r["expmap0_grad"] = gradient(lambda z: dot(G, expmap0(z, C)), V)
    r["logmap0_grad"] = gradient(lambda z: dot(G, logmap0(z, C)), X)
    r["expmap_grad_x"] = gradient(lambda z: dot(G, expmap(z, V, C)), X)
    r["expmap_grad_v"] = gradient(lambda z: dot(G, expmap(X, z, C)), V)
    r["logmap_grad_x"] = gradient(lambda z: dot(G, logmap(z, Y, C)), X)
    r["logmap_grad_y"] = gradient(lambda z: dot(G, logmap(X, z, C)), Y)
    r["geodesic_grad_x"] = gradient(lambda z: dot(G, geodesic(z, Y, T, C)), X)
    r["geodesic_grad_y"] = gradient(lambda z: dot(G, geodesic(X, z, T, C)), Y)
    return {k: out(a) for k, a in r.items()}


def mean_case(c, d, n):
    s = c ** -0.5
    points = [doubles(a * rng.uniform(0.1, 0.9) * s for a in direction(d)) for _ in range(n)]
    mean = frechet_mean([[mpf(a) for a in p] for p in points], mpf(c))
    return dict(c=c, points=points, mean=out(mean))


RADII = [(0.3, 0.6), (0.9, 0.05), (1 - 1e-6, 0.5), (1 - 1e-6, 1 - 1e-6)]
result = dict(
    script="chestlib/poincare/testdata/reference.py",
    seed=SEED,
    versions=dict(python=platform.python_version(), mpmath=mpmath.__version__, digits=mp.dps),
    cases=[case(c, d, rx, ry) for c in (1e-3, 0.1, 1.0, 10.0) for d in (2, 5) for rx, ry in RADII],
    means=[mean_case(c, d, n) for c in (0.1, 1.0) for d, n in ((2, 3), (4, 6))],
)
print(json.dumps(result, indent=1))
