"""Recall@K of all items among each other in PyTorch: products by blocks, topk."""
import argparse

from timing import report

import torch
import torch.nn.functional as F

p = argparse.ArgumentParser()
for name, value in [("n", 10000), ("dim", 128), ("classes", 1000), ("threads", 1), ("runs", 1), ("block", 512)]:
    p.add_argument("--" + name, type=int, default=value)
p.add_argument("--seconds", type=float, default=1)
p.add_argument("--data", help="items as raw float32, labels beside them, as chest bench recall --write wrote them")
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(1)
if a.data:
    x = torch.from_file(a.data, size=a.n * a.dim, dtype=torch.float32).view(a.n, a.dim)
    label = torch.from_file(a.data + ".labels", size=a.n, dtype=torch.int32).long()
else:
    label = torch.arange(a.n) % a.classes
    x = torch.randn(a.classes, a.dim)[label] + 2 * torch.randn(a.n, a.dim)
KS = [k for k in (1, 10, 100, 1000) if k < a.n]
found = {}


def run():
    with torch.no_grad():
        u = F.normalize(x, dim=1)
        hits = torch.zeros(len(KS))
        for lo in range(0, a.n, a.block):
            rows = torch.arange(lo, min(lo + a.block, a.n))
            score = u[rows] @ u.t()
            score[torch.arange(len(rows)), rows] = -2  # not in its own gallery
            near = score.topk(max(KS), dim=1).indices
            right = label[near] == label[rows, None]
            for i, k in enumerate(KS):
                hits[i] += right[:, :k].any(1).sum()
        for i, k in enumerate(KS):
            found["recall_%d" % k] = float(hits[i] / a.n)


report("recall", {"n": a.n, "dim": a.dim, "classes": a.classes, "threads": a.threads}, run, a.runs, a.seconds, 2 * a.n * a.n * a.dim, found)
