"""The CHEST step in PyTorch on the GPU, at the size of Stanford Online Products.

Both SoftTriple losses, HypHC, gradients by the features and proxies, AdamW of the
proxies; with --heads also two linear heads on features that lie on the GPU. Eager
and torch.compile, with float32 products and with TF32.
"""
import argparse
import math
import statistics

import torch
import torch.nn.functional as F

p = argparse.ArgumentParser()
for name, value in [("batch", 1024), ("din", 384), ("dim", 512), ("classes", 11318), ("proxies", 2), ("triplets", 1000), ("items", 59551), ("runs", 20)]:
    p.add_argument("--" + name, type=int, default=value)
a = p.parse_args()
B, C, K, D = a.batch, a.classes, a.proxies, a.dim
c, r = 0.1, 2.3
s = math.sqrt(c)
dev = "cuda"
upper = torch.triu_indices(K, K, 1, device=dev)


def point(u):
    norm = u.norm(dim=1, keepdim=True).clamp_min(1e-12)
    u = u * (r / norm).clamp_max(1)
    t = s * norm.clamp_max(r)
    return u * (torch.tanh(t) / t)


def classify(sim, label, lam, gamma, delta):
    sim = sim.view(B, C, K)
    relaxed = (torch.softmax(sim / gamma, 2) * sim).sum(2)
    own = torch.zeros_like(relaxed).scatter_(1, label[:, None], delta)
    return F.cross_entropy(lam * (relaxed - own), label)


def loss_of(u_e, u_h, label, proxies_e, proxies_h, leaf):
    x, q = F.normalize(u_e, dim=1), F.normalize(proxies_e, dim=1)
    total = classify(x @ q.t(), label, 20, 0.1, 0.01)
    q = q.view(C, K, D)
    gram = torch.bmm(q, q.transpose(1, 2))[:, upper[0], upper[1]]
    total = total + 0.2 * torch.sqrt((2 + 1e-5 - 2 * gram).clamp_min(1e-12)).sum() / (C * K * (K - 1))
    x, q = point(u_h), point(proxies_h)
    xx, qq = (x * x).sum(1, keepdim=True), (q * q).sum(1)
    sq = (xx + qq - 2 * x @ q.t()).clamp_min(1e-12)
    d = 2 / s * torch.asinh(s * torch.sqrt(sq / ((1 - c * xx) * (1 - c * qq))))
    total = total + classify(-d, label, 5, 0.4, 0.1)
    i, j = leaf[[0, 0, 1]], leaf[[1, 2, 2]]
    x, y = q[i], q[j]
    xx, yy, xy = (x * x).sum(2), (y * y).sum(2), (x * y).sum(2)
    gram, dd = (xx * yy - xy * xy).clamp_min(1e-12), (xx + yy - 2 * xy).clamp_min(1e-12)
    line = torch.asinh(2 * s * torch.sqrt(gram / (dd * ((1 - c * xx) * (1 - c * yy) + c * dd)))) / s
    end_x, end_y = 2 / s * torch.atanh(s * torch.sqrt(xx)), 2 / s * torch.atanh(s * torch.sqrt(yy))
    depth = torch.where((1 + c * yy) * xx < (1 + c * xx) * xy, end_x, torch.where((1 + c * xx) * yy < (1 + c * yy) * xy, end_y, line))
    with torch.no_grad():
        w = (1 + F.cosine_similarity(proxies_e[i], proxies_e[j], dim=2)) / 2
    return total + 0.5 * (w.sum(0) - (w * torch.softmax(depth / 0.1, 0)).sum(0)).mean()


def bench(heads, compiled, tf32):
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = tf32
    label = torch.randint(C, (B,), device=dev)
    proxies = [torch.nn.Parameter(F.normalize(torch.randn(C * K, D, device=dev), dim=1)) for _ in range(2)]
    layers = [torch.nn.Linear(a.din, D, device=dev) for _ in range(2)] if heads else []
    groups = [{"params": proxies, "weight_decay": 0, "lr": 1e-2}]
    if heads:
        groups.append({"params": [w for m in layers for w in m.parameters()]})
        store, labels = torch.randn(a.items, a.din, device=dev), torch.randint(C, (a.items,), device=dev)
    u = [torch.randn(B, D, device=dev).requires_grad_() for _ in range(2)]
    optimiser = torch.optim.AdamW(groups, lr=1e-4, fused=True)
    f = torch.compile(loss_of) if compiled else loss_of

    def run():
        for w in u:
            w.grad = None
        optimiser.zero_grad(set_to_none=True)
        leaf = torch.randint(C * K, (3, a.triplets), device=dev)
        if heads:
            at = torch.randint(a.items, (B,), device=dev)
            x = store[at]
            f(layers[0](x), layers[1](x), labels[at], *proxies, leaf).backward()
        else:
            f(*u, label, *proxies, leaf).backward()
        optimiser.step()

    for _ in range(5):
        run()
    torch.cuda.synchronize()
    times = []
    for _ in range(a.runs):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end))
    print("RESULT torch %s, heads %s, compile %s, tf32 %s: median %.3f ms, min %.3f ms" %
          (torch.__version__, heads, compiled, tf32, statistics.median(times), min(times)), flush=True)


for heads in (False, True):
    for compiled in (False, True):
        for tf32 in (False, True):
            bench(heads, compiled, tf32)
