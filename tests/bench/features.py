"""Features of a frozen ViT-S/16 or ResNet-50 in PyTorch: no gradient, traced and
optimised for inference, so that BatchNorms are folded into convolutions of
oneDNN."""
import argparse
import os
import sys
import warnings

from timing import report

import torch

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "chestlib", "backbone", "testdata"))
import golden

p = argparse.ArgumentParser()
for name, value in [("batch", 8), ("image", 224), ("threads", 1), ("runs", 3)]:
    p.add_argument("--" + name, type=int, default=value)
p.add_argument("--seconds", type=float, default=1)
p.add_argument("--backbone", default="vit_s16")
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(1)
net = {"vit_s16": golden.ViT, "resnet50": golden.ResNet}[a.backbone]().eval()
x = torch.randn(a.batch, 3, a.image, a.image)
flops = {"vit_s16": 9.2e9, "resnet50": 8.2e9}[a.backbone] * a.batch * (a.image / 224) ** 2
warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # the shape is one
with torch.inference_mode():
    net = torch.jit.optimize_for_inference(torch.jit.trace(net, x))

    def run():
        return net(x)

    report("features", {"batch": a.batch, "image": a.image, "threads": a.threads}, run, a.runs, a.seconds, flops)
