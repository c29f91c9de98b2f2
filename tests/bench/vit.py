"""ViT-S/16 with two heads in PyTorch, forward and backward."""
import argparse

from timing import report

import torch
from torch import nn

p = argparse.ArgumentParser()
for name, value in [("batch", 4), ("image", 224), ("width", 384), ("depth", 12), ("heads", 6), ("patch", 16), ("threads", 1), ("runs", 3)]:
    p.add_argument("--" + name, type=int, default=value)
p.add_argument("--seconds", type=float, default=1)
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(1)
tokens, d = 1 + (a.image // a.patch) ** 2, a.width


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, a.heads, d // a.heads).permute(2, 0, 3, 1, 4).unbind(0)
        w = torch.softmax(q @ k.transpose(-2, -1) * (d // a.heads) ** -0.5, -1)
        return self.out((w @ v).transpose(1, 2).reshape(b, t, d))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(d), Attention(), nn.LayerNorm(d)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


embed = nn.Conv2d(3, d, a.patch, stride=a.patch)
first, place = nn.Parameter(torch.randn(1, 1, d) * 0.02), nn.Parameter(torch.randn(1, tokens, d) * 0.02)
blocks, norm = nn.Sequential(*[Block() for _ in range(a.depth)]), nn.LayerNorm(d)
head_e, head_h = nn.Linear(d, 128), nn.Linear(d, 128)
params = [first, place] + [w for m in (embed, blocks, norm, head_e, head_h) for w in m.parameters()]
x = torch.randn(a.batch, 3, a.image, a.image)
g_e, g_h = torch.randn(a.batch, 128), torch.randn(a.batch, 128)


def run():
    for w in params:
        w.grad = None
    t = embed(x).flatten(2).transpose(1, 2)
    t = torch.cat([first.expand(a.batch, -1, -1), t], 1) + place
    f = norm(blocks(t)[:, 0])
    torch.autograd.backward([head_e(f), head_h(f)], [g_e, g_h])


flops = 3 * a.batch * a.depth * (24 * tokens * d * d + 4 * tokens * tokens * d) + 4 * a.batch * tokens * d * 3 * a.patch ** 2
report("vit", {"batch": a.batch, "image": a.image, "width": d, "depth": a.depth, "heads": a.heads, "patch": a.patch, "threads": a.threads},
       run, a.runs, a.seconds, flops)
