"""Trains chest's conv trunk with a loss in PyTorch: from the same weights, on the
same batches, at the same rates. Written from the papers' formulas.

Reads the folder that tests/twin wrote, and writes the test items' embeddings
there, as raw float32.
"""
import json
import math
import struct
import sys
import time

import torch
import torch.nn.functional as F


def tensors(path):
    """Reads a file of safetensors."""
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
        data = bytearray(f.read())
    kinds = {"F32": torch.float32, "I64": torch.int64}
    found = {}
    for name, t in header.items():
        if name == "__metadata__":
            continue
        lo, hi = t["data_offsets"]
        part = data[lo:hi]
        found[name] = torch.frombuffer(part, dtype=kinds[t["dtype"]]).reshape(t["shape"]).clone()
    return found


folder = sys.argv[1]
plan = json.load(open(folder + "/plan.json"))
torch.set_num_threads(plan["threads"])
x = tensors(folder + "/items.safetensors")
init = tensors(folder + "/init.safetensors")
weights = {k[len("model/"):]: v.requires_grad_() for k, v in init.items() if k.startswith("model/")}
proxies = init["loss/proxies.E"].requires_grad_()
classes = plan["classes"]


def trunk(x):
    for block in range(1, plan["depth"] + 1):
        w = lambda part: weights["trunk.block%d.%s" % (block, part)]
        kernel = w("conv.weight")
        x = F.conv2d(x, kernel.view(kernel.shape[0], -1, 3, 3), w("conv.bias"), padding=1)
        x = F.group_norm(x, 8, w("norm.gain"), w("norm.bias"))
        x = F.max_pool2d(F.gelu(x), 2, ceil_mode=True)
    x = x.mean((2, 3))
    return F.layer_norm(x, x.shape[1:], weights["trunk.norm.gain"], weights["trunk.norm.bias"])


def embed(x):
    return F.linear(trunk(x), weights["head.E.weight"], weights["head.E.bias"])


def softtriple(u, label):
    o = plan["options"]
    k = len(proxies) // classes
    s = (F.normalize(u, dim=1) @ F.normalize(proxies, dim=1).t()).view(len(u), classes, k)
    relaxed = (torch.softmax(s / o["gamma"], 2) * s).sum(2)
    margin = o["delta"] * F.one_hot(label, classes)
    loss = F.cross_entropy(o["lambda"] * (relaxed - margin), label)
    if k == 1:  # nothing to merge
        return F.cross_entropy(o["lambda"] * (relaxed - margin), label)
    p = F.normalize(proxies, dim=1).view(classes, k, -1)
    i, j = torch.triu_indices(k, k, 1)
    gram = torch.bmm(p, p.transpose(1, 2))[:, i, j]
    return loss + o["tau"] * torch.sqrt(2 + 1e-5 - 2 * gram).sum() / (classes * k * (k - 1))


def proxy_anchor(u, label):
    o = plan["options"]
    s = F.normalize(u, dim=1) @ F.normalize(proxies, dim=1).t()
    own = F.one_hot(label, classes).bool()
    positive = torch.where(own, torch.exp(-o["alpha"] * (s - o["delta"])), torch.zeros(())).sum(0)
    negative = torch.where(own, torch.zeros(()), torch.exp(o["alpha"] * (s + o["delta"]))).sum(0)
    present = own.any(0).sum()
    return torch.log1p(positive).sum() / present + torch.log1p(negative).sum() / classes


loss = {"softtriple": softtriple, "proxy-anchor": proxy_anchor}[plan["loss"]]
plain = lambda name: name.endswith((".bias", ".gain"))
groups = []
for name, w in weights.items():
    if not name.startswith("head.H"):
        groups.append({"params": [w], "weight_decay": 0 if plain(name) else plan["decay"], "factor": 1})
groups.append({"params": [proxies], "weight_decay": 0, "factor": plan["proxyRate"]})
optimiser = torch.optim.AdamW(groups, lr=plan["rate"])
every = [w for g in groups for w in g["params"]]
total, begin = len(plan["batches"]), time.perf_counter()
for done, batch in enumerate(plan["batches"]):
    for g in optimiser.param_groups:
        g["lr"] = plan["rate"] * g["factor"] * (1 + math.cos(math.pi * done / total)) / 2
    items = torch.tensor(batch)
    optimiser.zero_grad()
    value = loss(embed(x["train"][items]), x["label"][items])
    value.backward()
    torch.nn.utils.clip_grad_norm_(every, plan["maxNorm"])
    optimiser.step()
seconds = time.perf_counter() - begin
with torch.no_grad():
    out = torch.cat([embed(part) for part in x["test"].split(256)])
with open(folder + "/embedding.f32", "wb") as f:
    f.write(struct.pack("<%df" % out.numel(), *out.flatten().tolist()))
print(json.dumps({"loss": float(value), "seconds": seconds}))
