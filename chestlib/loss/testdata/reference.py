#!/usr/bin/python3
"""Writes reference.json: the CHEST loss and its parts in 50 digits.

    apt-get install python3-mpmath
    python3 reference.py > reference.json

Written from the formulas with the textbook's distance (Möbius addition, artanh)
and with ancestors from the circle that carries a geodesic; gradients are
central differences with a step of 1e-20. All inputs are float32 numbers.
"""

import json
import platform
import random
import struct

import mpmath
from mpmath import mp, mpf

mp.dps = 50
SEED = 20240613
rng = random.Random(SEED)


def single(x):
    """Rounds to float32, which is what the package is given."""
    return struct.unpack("f", struct.pack("f", x))[0]


def matrix(rows, cols, scale):
    return [[single(rng.gauss(0, scale)) for _ in range(cols)] for _ in range(rows)]


def exact(rows):
    return [[mpf(x) for x in row] for row in rows]


def dot(x, y):
    return mp.fsum(a * b for a, b in zip(x, y))


def norm(x):
    return mp.sqrt(dot(x, x))


def unit(x):
    n = norm(x)
    return [a / n for a in x]


# the ball

def mobius_add(x, y, c):
    xy, xx, yy = dot(x, y), dot(x, x), dot(y, y)
    den = 1 + 2 * c * xy + c * c * xx * yy
    return [((1 + 2 * c * xy + c * yy) * a + (1 - c * xx) * b) / den for a, b in zip(x, y)]


def distance(x, y, c):
    s = mp.sqrt(c)
    return 2 / s * mp.atanh(s * norm(mobius_add([-a for a in x], y, c)))


def to_ball(u, c, r):
    n = norm(u)
    if n > r:
        u = [a * r / n for a in u]
        n = mpf(r)
    t = mp.sqrt(c) * n
    return [a * mp.tanh(t) / t for a in u]


def depth(x, c):
    s = mp.sqrt(c)
    return 2 / s * mp.atanh(s * norm(x))


def lca(a, b, c):
    """Distance from the origin of the segment's nearest point: its foot if the
    tangents at a and b both lead towards it, else the nearer end."""
    def inward(x, y):  # does the geodesic from x to y start towards the origin?
        return dot(mobius_add([-v for v in x], y, c), x) < 0

    if not inward(a, b):
        return depth(a, c)
    if not inward(b, a):
        return depth(b, c)
    aa, bb, ab = dot(a, a), dot(b, b), dot(a, b)
    p, q = (1 / c + aa) / 2, (1 / c + bb) / 2
    det = aa * bb - ab * ab
    x, y = (p * bb - q * ab) / det, (q * aa - p * ab) / det
    m = [x * v + y * w for v, w in zip(a, b)]
    closest = norm(m) - mp.sqrt(dot(m, m) - 1 / c)
    return 2 / mp.sqrt(c) * mp.atanh(mp.sqrt(c) * closest)


# the losses

def classify(s, label, lam, gamma, delta):
    """s[i][c][k]"""
    total = mpf(0)
    for row, y in zip(s, label):
        relaxed = []
        for group in row:
            e = [mp.exp(v / gamma) for v in group]
            relaxed.append(dot(e, group) / mp.fsum(e))
        own = mp.exp(lam * (relaxed[y] - delta))
        rest = mp.fsum(mp.exp(lam * v) for c, v in enumerate(relaxed) if c != y)
        total -= mp.log(own / (own + rest))
    return total / len(label)


def split(rows, k):
    return [rows[i:i + k] for i in range(0, len(rows), k)]


def soft_triple(x, proxies, label, k, lam, gamma, delta, tau):
    x, groups = [unit(v) for v in x], split([unit(p) for p in proxies], k)
    s = [[[dot(v, p) for p in g] for g in groups] for v in x]
    merge = mp.fsum(mp.sqrt(2 + mpf(10) ** -5 - 2 * dot(g[a], g[b])) for g in groups for a in range(k) for b in range(a))
    merge = tau * merge / (len(groups) * k * (k - 1))
    return classify(s, label, lam, gamma, delta), merge


SIMILARITIES = {
    "-d": lambda d, r: -d,
    "-d²": lambda d, r: -d * d,
    "exp(-d)": lambda d, r: mp.exp(-d),
    "-d/4r": lambda d, r: -d / (4 * r),
}


def hyper_soft_triple(u, proxies, label, k, lam, gamma, delta, tau, c, r, similarity, free):
    x = [to_ball(v, c, r) for v in u]
    groups = split([to_ball(v, c, mp.inf if free else r) for v in proxies], k)
    s = [[[SIMILARITIES[similarity](distance(v, p, c), r) for p in g] for g in groups] for v in x]
    merge = mp.fsum(distance(g[a], g[b], c) for g in groups for a in range(k) for b in range(a))
    merge = tau * merge / (len(groups) * k * (k - 1))
    return classify(s, label, lam, gamma, delta), merge


def tree(points, like, triplets, c, temperature, k, label_aware):
    total = mpf(0)
    for i, j, m in triplets:
        pairs = [(i, j), (i, m), (j, m)]
        d = [lca(points[a], points[b], c) for a, b in pairs]
        w = [mpf(1) if label_aware and a // k == b // k else (1 + dot(unit(like[a]), unit(like[b]))) / 2 for a, b in pairs]
        e = [mp.exp(v / temperature) for v in d]
        total += mp.fsum(w) - dot(w, e) / mp.fsum(e)
    return total / len(triplets)


def gradient(f, rows):
    h, g = mpf(10) ** -20, []
    for row in rows:
        for i in range(len(row)):
            saved = row[i]
            row[i] = saved + h
            up = f()
            row[i] = saved - h
            down = f()
            row[i] = saved
            g.append(float((up - down) / (2 * h)))
    return g


def flat(rows):
    return [x for row in rows for x in row]


def euclidean_case(n, classes, k, d, **o):
    x, p = matrix(n, d, 1), matrix(classes * k, d, 1)
    label = [rng.randrange(classes) for _ in range(n)]
    X, P = exact(x), exact(p)
    args = dict(k=k, lam=mpf(o["lambda_"]), gamma=mpf(o["gamma"]), delta=mpf(o["delta"]), tau=mpf(o["tau"]))
    cls, merge = soft_triple(X, P, label, **args)
    f = lambda: sum(soft_triple(X, P, label, **args))
    return dict(classes=classes, k=k, d=d, x=flat(x), proxies=flat(p), label=label, **o,
                cls=float(cls), merge=float(merge), grad_x=gradient(f, X), grad_p=gradient(f, P))


def hyperbolic_case(n, classes, k, d, scale=1, free=False, **o):
    u, v = matrix(n, d, scale), matrix(classes * k, d, scale)
    label = [rng.randrange(classes) for _ in range(n)]
    U, V = exact(u), exact(v)
    args = dict(k=k, lam=mpf(o["lambda_"]), gamma=mpf(o["gamma"]), delta=mpf(o["delta"]), tau=mpf(o["tau"]),
                c=mpf(o["c"]), r=mpf(o["r"]), similarity=o["similarity"], free=free)
    cls, merge = hyper_soft_triple(U, V, label, **args)
    f = lambda: sum(hyper_soft_triple(U, V, label, **args))
    return dict(classes=classes, k=k, d=d, x=flat(u), proxies=flat(v), label=label, free=free, **o,
                cls=float(cls), merge=float(merge), grad_x=gradient(f, U), grad_p=gradient(f, V),
                clipped=sum(1 for a in U if norm(a) >= o["r"]) / n)


def chest_case(n, classes, k, dE, dH, c, label_aware):
    """Defaults of the package; all triplets of distinct leaves, once each."""
    uE, uH, pE, pH = matrix(n, dE, 1), matrix(n, dH, 0.9), matrix(classes * k, dE, 1), matrix(classes * k, dH, 0.9)
    label = [rng.randrange(classes) for _ in range(n)]
    leaves = classes * k
    triplets = [(i, j, m) for i in range(leaves) for j in range(i + 1, leaves) for m in range(j + 1, leaves)]
    UE, UH, PE, PH = exact(uE), exact(uH), exact(pE), exact(pH)
    fixed = exact(pE)  # no gradient through the similarities
    C, r, weights = mpf(c), mpf(2.3), (mpf(1), mpf(1), mpf(0.5))

    def terms():
        e, merge = soft_triple(UE, PE, label, k, mpf(20), mpf(0.1), mpf(0.01), mpf(0.2))
        h, _ = hyper_soft_triple(UH, PH, label, k, mpf(5), mpf(0.4), mpf(0.1), mpf(0), C, r, "-d", False)
        t = tree([to_ball(v, C, r) for v in PH], fixed, triplets, C, mpf(0.1), k, label_aware)
        return e, merge, h, t

    def total():
        e, merge, h, t = terms()
        return weights[0] * (e + merge) + weights[1] * h + weights[2] * t

    e, merge, h, t = terms()
    return dict(classes=classes, k=k, dE=dE, dH=dH, c=c, label_aware=label_aware, label=label,
                uE=flat(uE), uH=flat(uH), pE=flat(pE), pH=flat(pH),
                e=float(e), merge=float(merge), h=float(h), tree=float(t), total=float(total()),
                grad_uE=gradient(total, UE), grad_uH=gradient(total, UH),
                grad_pE=gradient(total, PE), grad_pH=gradient(total, PH))


HYPER = dict(lambda_=5, gamma=0.4, delta=0.1, tau=0, c=0.1, r=2.3, similarity="-d")
print(json.dumps(dict(
    script="chestlib/loss/testdata/reference.py",
    seed=SEED,
    versions=dict(python=platform.python_version(), mpmath=mpmath.__version__, digits=mp.dps),
    euclidean=[
        euclidean_case(4, 3, 2, 3, lambda_=20, gamma=0.1, delta=0.01, tau=0.2),
        euclidean_case(5, 2, 4, 6, lambda_=8, gamma=0.3, delta=0.2, tau=1.5),
    ],
    hyperbolic=[hyperbolic_case(4, 3, 2, 3, **{**HYPER, **o}) for o in (
        {},
        dict(similarity="-d²", lambda_=1, gamma=1),
        dict(similarity="exp(-d)", lambda_=20, gamma=0.1, delta=0.01),
        dict(similarity="-d/4r", lambda_=20, gamma=0.1, delta=0.01),
        dict(c=1, tau=0.3),
        dict(scale=4),
        dict(scale=2, free=True, r=1.5),
        dict(c=10, scale=3),
    )],
    chest=[chest_case(4, 3, 2, 4, 3, 0.1, False), chest_case(3, 2, 3, 3, 2, 1, True)],
), indent=1))
