#!/usr/bin/python3
"""Writes reference.json: what Pillow makes of pictures that both sides can draw.

    apt-get install python3-pil python3-numpy
    /usr/bin/python3 reference.py > reference.json

Sizes and rules of crops and of the colour jitter are those of torchvision's
functions for Pillow pictures, written out here; the pixels are Pillow's.
"""

import base64
import json
import platform

import numpy
import PIL
from PIL import Image, ImageEnhance

SEED = 20240611
FILTERS = {"bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR}


def noise(w, h, seed):
    state, pix = seed, bytearray()
    for _ in range(3 * w * h):
        state = (state * 1664525 + 1013904223) % 2**32
        pix.append(state >> 24)
    return Image.frombytes("RGB", (w, h), bytes(pix))


def waves(w, h):
    pix = bytearray()
    for y in range(h):
        for x in range(w):
            for c in range(3):
                pix.append(((x * 7 + y * 3) * (c + 1) + x * y // 5) % 256)
    return Image.frombytes("RGB", (w, h), bytes(pix))


def draw(kind, w, h):
    return noise(w, h, SEED) if kind == "noise" else waves(w, h)


def text(m):
    return base64.b64encode(m.convert("RGB").tobytes()).decode()


def resize(m, size, f):
    w, h = m.size
    short, long = min(w, h), max(w, h)
    if short == size:
        return m
    new = int(size * long / short)
    return m.resize((size, new) if w <= h else (new, size), FILTERS[f])


def centre_crop(m, size):
    w, h = m.size
    if w < size or h < size:
        left, top = (size - w) // 2 if w < size else 0, (size - h) // 2 if h < size else 0
        wide = Image.new("RGB", (max(w, size), max(h, size)))
        wide.paste(m, (left, top))
        m, (w, h) = wide, wide.size
    top, left = int(round((h - size) / 2.0)), int(round((w - size) / 2.0))
    return m.crop((left, top, left + size, top + size))


def hue(m, f):
    h, s, v = m.convert("HSV").split()
    np_h = numpy.array(h, dtype=numpy.uint8)
    with numpy.errstate(over="ignore"):
        np_h += numpy.int32(f * 255).astype(numpy.uint8)
    return Image.merge("HSV", (Image.fromarray(np_h, "L"), s, v)).convert("RGB")


JITTER = {
    "brightness": lambda m, f: ImageEnhance.Brightness(m).enhance(f),
    "contrast": lambda m, f: ImageEnhance.Contrast(m).enhance(f),
    "saturation": lambda m, f: ImageEnhance.Color(m).enhance(f),
    "hue": hue,
}

SIZES = [(50, 37), (37, 50), (20, 31), (31, 20), (33, 33), (1, 1), (2, 5), (3, 40), (40, 3), (7, 64), (61, 24), (24, 24), (25, 40)]


def main():
    out = {
        "script": "reference.py", "seed": SEED, "pillow": PIL.__version__, "numpy": numpy.__version__,
        "python": platform.python_version(), "resize": [], "crop": [], "box": [], "jitter": [], "normalise": [],
    }
    for w, h in SIZES:
        for f in FILTERS:
            for size in (5, 24):
                kind = "noise" if (w + size) % 2 else "waves"
                m = resize(draw(kind, w, h), size, f)
                out["resize"].append({"kind": kind, "w": w, "h": h, "filter": f, "size": size, "outW": m.size[0], "outH": m.size[1], "pix": text(m)})
    for w, h in SIZES:
        for f, size, crop in (("bicubic", 24, 21), ("bilinear", 24, 20), ("bicubic", 10, 17)):
            m = centre_crop(resize(draw("noise", w, h), size, f), crop)
            out["crop"].append({"kind": "noise", "w": w, "h": h, "filter": f, "size": size, "crop": crop, "pix": text(m)})
    for x, y, w, h, size in ((0, 0, 60, 45, 16), (5, 7, 31, 30, 16), (59, 44, 1, 1, 6), (10, 0, 16, 45, 16), (3, 3, 20, 16, 16), (30, 20, 9, 11, 24)):
        for f in FILTERS:
            m = draw("waves", 60, 45).crop((x, y, x + w, y + h)).resize((size, size), FILTERS[f])
            out["box"].append({"kind": "waves", "w": 60, "h": 45, "box": [x, y, w, h], "filter": f, "size": size, "pix": text(m)})
    for name in JITTER:
        factors = (-0.5, -0.3, -0.1, -0.001, 0.02, 0.25, 0.5) if name == "hue" else (0, 0.3, 0.8, 1, 1.2, 1.9, 5)
        for f in factors:
            for kind in ("noise", "waves"):
                out["jitter"].append({"kind": kind, "w": 19, "h": 17, "op": name, "factor": f, "pix": text(JITTER[name](draw(kind, 19, 17), f))})
    for name, mean, std in (("half", (0.5,) * 3, (0.5,) * 3), ("imagenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))):
        x = numpy.array(draw("noise", 6, 4)).transpose(2, 0, 1).astype(numpy.float32) / numpy.float32(255)
        x = (x - numpy.float32(mean)[:, None, None]) / numpy.float32(std)[:, None, None]
        out["normalise"].append({"name": name, "w": 6, "h": 4, "values": [float(v) for v in x.ravel()]})
    x = numpy.array(draw("noise", 6, 4))[:, :, ::-1].transpose(2, 0, 1).astype(numpy.float32) - numpy.float32((104, 117, 128))[:, None, None]
    out["normalise"].append({"name": "bninception", "w": 6, "h": 4, "values": [float(v) for v in x.ravel()]})
    print(json.dumps(out))


main()
