"""Makes the goldens of package backbone with PyTorch.

    python3 golden.py              small networks, into this folder
    python3 golden.py --full DIR   ViT-S/16 and ResNet-50 with random weights, into DIR

The modules are written from the published architectures, with the names of
their published weights: ViT and DeiT (Dosovitskiy et al. 2021, Touvron et al.
2021; pre-norm blocks, exact GELU, LayerNorm with 1e-6), ResNet with bottleneck
blocks (He et al. 2016; stride in the 3x3 convolution). All weights are random.
"""
import json
import os
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F

SEED = 1


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        p = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(-1)
        return self.proj((p @ v).transpose(1, 2).reshape(n, t, d))


class MLP(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(d, eps=1e-6), Attention(d, heads)
        self.norm2, self.mlp = nn.LayerNorm(d, eps=1e-6), MLP(d)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, d, p):
        super().__init__()
        self.proj = nn.Conv2d(3, d, p, stride=p)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class ViT(nn.Module):
    def __init__(self, image=224, patch=16, d=384, depth=12, heads=6):
        super().__init__()
        self.patch, self.side = patch, image // patch
        self.cls_token = nn.Parameter(torch.zeros(1, 1, d))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.side ** 2, d))
        self.patch_embed = PatchEmbed(d, patch)
        self.blocks = nn.ModuleList([Block(d, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(d, eps=1e-6)

    def positions(self, h, w):
        if (h, w) == (self.side, self.side):
            return self.pos_embed
        grid = self.pos_embed[:, 1:].reshape(1, self.side, self.side, -1).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, size=(h, w), mode="bicubic", align_corners=False)
        return torch.cat([self.pos_embed[:, :1], grid.flatten(2).transpose(1, 2)], 1)

    def forward(self, x):
        place = self.positions(x.shape[2] // self.patch, x.shape[3] // self.patch)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), self.patch_embed(x)], 1) + place
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 0]


class Bottleneck(nn.Module):
    def __init__(self, cin, inner, stride, project):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = nn.Conv2d(inner, 4 * inner, 1, bias=False), nn.BatchNorm2d(4 * inner)
        self.downsample = None
        if project:
            self.downsample = nn.Sequential(nn.Conv2d(cin, 4 * inner, 1, stride, bias=False), nn.BatchNorm2d(4 * inner))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, width=64, blocks=(3, 4, 6, 3)):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        cin = width
        for stage, count in enumerate(blocks):
            inner, layer = width << stage, []
            for b in range(count):
                layer.append(Bottleneck(cin, inner, 2 if stage and not b else 1, not b))
                cin = 4 * inner
            setattr(self, "layer%d" % (stage + 1), nn.Sequential(*layer))

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        return x.mean((2, 3))


def shake(net):
    """Draws all weights so that each of them matters: no gain is 1, no bias 0, and
    variances are small enough for what is added to them."""
    g = torch.Generator().manual_seed(SEED)
    for name, w in net.state_dict().items():
        if not w.is_floating_point():
            continue
        noise = torch.randn(w.shape, generator=g)
        if name.endswith("running_var"):
            w.copy_(0.001 + torch.rand(w.shape, generator=g) ** 3)
        elif name in ("cls_token", "pos_embed"):
            w.copy_(0.5 * noise)
        elif w.dim() > 1:
            w.copy_(noise * (1.5 / w[0].numel()) ** 0.5)
        elif name.endswith(".weight"):
            w.copy_(1 + 0.2 * noise)
        else:
            w.copy_(0.2 * noise)
    for name, w in net.state_dict().items():
        if name.startswith(("cls_token", "pos_embed", "patch_embed")):
            w.mul_(0.02)
        if name.endswith("running_var"):  # what is divided by a small root is small
            net.state_dict()[name[:-len("running_var")] + "weight"].mul_(w.sqrt())
        if name.endswith("bn3.weight"):  # residual blocks would grow from one to the next
            w.mul_(0.5)
    return net.eval()


def write(path, tensors):
    """Writes a file of safetensors."""
    kinds = {torch.float32: "F32", torch.int64: "I64"}
    head, at, data = {"__metadata__": {"seed": str(SEED), "torch": torch.__version__}}, 0, []
    for name, t in tensors.items():
        raw = t.detach().contiguous().numpy().tobytes()
        head[name] = {"dtype": kinds[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(raw)]}
        at += len(raw)
        data.append(raw)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data))


@torch.no_grad()
def main():
    full = sys.argv[1:2] == ["--full"]
    out = sys.argv[2] if full else os.path.dirname(os.path.abspath(__file__))
    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(SEED + 1)
    images = lambda n, h, w: torch.randn(n, 3, h, w, generator=g)
    golden = {}
    if full:
        vit, resnet = shake(ViT()), shake(ResNet())
        golden["vit.x"], golden["vit.wide.x"], golden["resnet.x"] = images(3, 224, 224), images(1, 320, 256), images(3, 224, 224)
    else:
        vit, resnet = shake(ViT(16, 4, 24, 2, 3)), shake(ResNet(4, (2, 1, 1, 1)))
        golden["vit.x"], golden["vit.wide.x"], golden["resnet.x"] = images(3, 16, 16), images(2, 24, 12), images(2, 33, 47)
        grid = torch.randn(1, 2, 5, 5, generator=g)  # positions: larger, smaller, both
        golden["grid"] = grid[0].permute(1, 2, 0)
        for h, w in ((8, 11), (3, 2), (4, 7), (5, 5), (1, 1)):
            t = F.interpolate(grid, size=(h, w), mode="bicubic", align_corners=False)
            golden["grid.%dx%d" % (h, w)] = t[0].permute(1, 2, 0)
    for name in list(golden):
        if name.endswith(".x"):
            net = vit if name.startswith("vit") else resnet
            golden[name[:-2] + ".y"] = net(golden[name])
    write(os.path.join(out, "vit.safetensors"), vit.state_dict())
    write(os.path.join(out, "resnet.safetensors"), resnet.state_dict())
    write(os.path.join(out, "golden.safetensors"), golden)


if __name__ == "__main__":
    main()
