"""The CHEST step in PyTorch: heads, both SoftTriple losses, HypHC, AdamW.

Written as one would for speed without leaving PyTorch: distances by one matrix
product, no loop over rows or classes, the ancestor's depth in closed form.
"""
import argparse
import math

from timing import report

import torch
import torch.nn.functional as F

p = argparse.ArgumentParser()
for name, value in [("batch", 256), ("din", 384), ("dim", 128), ("classes", 100), ("proxies", 10), ("triplets", 1000), ("threads", 1), ("runs", 5)]:
    p.add_argument("--" + name, type=int, default=value)
p.add_argument("--seconds", type=float, default=1)
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(1)
B, C, K, D = a.batch, a.classes, a.proxies, a.dim
c, r = 0.1, 2.3
s = math.sqrt(c)

features = torch.randn(B, a.din)
label = torch.randint(C, (B,))
head_e, head_h = torch.nn.Linear(a.din, D), torch.nn.Linear(a.din, D)
proxies_e = torch.nn.Parameter(F.normalize(torch.randn(C * K, D), dim=1))
proxies_h = torch.nn.Parameter(F.normalize(torch.randn(C * K, D), dim=1))
optimiser = torch.optim.AdamW([
    {"params": list(head_e.parameters()) + list(head_h.parameters())},
    {"params": [proxies_e, proxies_h], "weight_decay": 0, "lr": 1e-2},
], lr=1e-4)
upper = torch.triu_indices(K, K, 1)


def point(u):
    norm = u.norm(dim=1, keepdim=True).clamp_min(1e-12)
    u = u * (r / norm).clamp_max(1)
    t = s * norm.clamp_max(r)
    return u * (torch.tanh(t) / t)


def classify(sim, lam, gamma, delta):
    sim = sim.view(B, C, K)
    relaxed = (torch.softmax(sim / gamma, 2) * sim).sum(2)
    logits = lam * (relaxed - delta * F.one_hot(label, C))
    return F.cross_entropy(logits, label)


def sphere():
    x, q = F.normalize(head_e(features), dim=1), F.normalize(proxies_e, dim=1)
    loss = classify(x @ q.t(), 20, 0.1, 0.01)
    if K > 1:
        q = q.view(C, K, D)
        gram = torch.bmm(q, q.transpose(1, 2))[:, upper[0], upper[1]]
        loss = loss + 0.2 * torch.sqrt((2 + 1e-5 - 2 * gram).clamp_min(1e-12)).sum() / (C * K * (K - 1))
    return loss


def ball():
    x, q = point(head_h(features)), point(proxies_h)
    xx, qq = (x * x).sum(1, keepdim=True), (q * q).sum(1)
    sq = (xx + qq - 2 * x @ q.t()).clamp_min(1e-12)
    d = 2 / s * torch.asinh(s * torch.sqrt(sq / ((1 - c * xx) * (1 - c * qq))))
    return classify(-d, 5, 0.4, 0.1) + 0.5 * tree(q)


def tree(q):
    leaf = torch.randint(C * K, (3, a.triplets))
    i, j = leaf[[0, 0, 1]], leaf[[1, 2, 2]]
    x, y = q[i], q[j]
    xx, yy, xy = (x * x).sum(2), (y * y).sum(2), (x * y).sum(2)
    gram = (xx * yy - xy * xy).clamp_min(1e-12)
    dd = (xx + yy - 2 * xy).clamp_min(1e-12)
    line = torch.asinh(2 * s * torch.sqrt(gram / (dd * ((1 - c * xx) * (1 - c * yy) + c * dd)))) / s
    end_x = 2 / s * torch.atanh(s * torch.sqrt(xx))
    end_y = 2 / s * torch.atanh(s * torch.sqrt(yy))
    depth = torch.where((1 + c * yy) * xx < (1 + c * xx) * xy, end_x, torch.where((1 + c * xx) * yy < (1 + c * yy) * xy, end_y, line))
    with torch.no_grad():
        w = (1 + F.cosine_similarity(proxies_e[i], proxies_e[j], dim=2)) / 2
    return (w.sum(0) - (w * torch.softmax(depth / 0.1, 0)).sum(0)).mean()


def run():
    optimiser.zero_grad()
    (sphere() + ball()).backward()
    optimiser.step()


flops = 2 * B * a.din * 2 * D * 2 + 3 * 2 * B * C * K * D * 2
report("step", {"batch": B, "din": a.din, "dim": D, "classes": C, "proxies": K, "triplets": a.triplets, "threads": a.threads},
       run, a.runs, a.seconds, flops)
