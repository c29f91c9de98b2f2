"""ConvNet-4 with two heads in PyTorch, forward and backward."""
import argparse

from timing import report

import torch
from torch import nn

p = argparse.ArgumentParser()
for name, value in [("batch", 64), ("image", 84), ("channels", 3), ("width", 64), ("depth", 4), ("threads", 1), ("runs", 5)]:
    p.add_argument("--" + name, type=int, default=value)
p.add_argument("--seconds", type=float, default=1)
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(1)
layers, cin, side, flops = [], a.channels, a.image, 0
for b in range(a.depth):
    layers += [nn.Conv2d(cin, a.width, 3, padding=1), nn.BatchNorm2d(a.width), nn.ReLU(inplace=True), nn.MaxPool2d(2, ceil_mode=True)]
    flops += (2 if b == 0 else 3) * 2 * a.batch * side * side * 9 * cin * a.width
    cin, side = a.width, (side + 1) // 2
trunk = nn.Sequential(*layers, nn.Flatten())
head_e, head_h = nn.Linear(a.width * side * side, 64), nn.Linear(a.width * side * side, 64)
params = [*trunk.parameters(), *head_e.parameters(), *head_h.parameters()]
x = torch.randn(a.batch, a.channels, a.image, a.image)
g_e, g_h = torch.randn(a.batch, 64), torch.randn(a.batch, 64)


def run():
    for w in params:
        w.grad = None
    f = trunk(x)
    torch.autograd.backward([head_e(f), head_h(f)], [g_e, g_h])


report("conv", {"batch": a.batch, "image": a.image, "channels": a.channels, "width": a.width, "depth": a.depth, "threads": a.threads},
       run, a.runs, a.seconds, flops)
