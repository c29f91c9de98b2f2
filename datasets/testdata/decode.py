#!/usr/bin/python3
"""Writes decode.json: small image files of every kind and Pillow's pixels of them.

    apt-get install python3-pil python3-numpy
    /usr/bin/python3 decode.py > decode.json
"""

import base64
import io
import json
import platform
import struct
import zlib

import numpy
import PIL
from PIL import Image, features

SEED = 20240611
rng = numpy.random.default_rng(SEED)


def picture(w, h):
    """Smooth colours with an edge, so that chroma and its interpolation count."""
    y, x = numpy.mgrid[0:h, 0:w]
    m = numpy.stack([128 + 100 * numpy.sin(x / 5 + y / 11), 128 + 110 * numpy.cos(y / 6 - x / 13), 128 + 90 * numpy.sin((x + y) / 9)], 2)
    m[h // 3:, w // 2:] = 255 - m[h // 3:, w // 2:]
    return Image.fromarray(m.clip(0, 255).astype(numpy.uint8), "RGB")


def saved(m, fmt, **k):
    b = io.BytesIO()
    m.save(b, fmt, **k)
    return b.getvalue()


def png(colour, depth, w, h, rows, extra=b""):
    """A PNG that Pillow does not write."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, 0)
    body = b"".join(b"\0" + r for r in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def deep(colour, channels, w, h):
    return png(colour, 16, w, h, [rng.integers(0, 65536, w * channels).astype(">u2").tobytes() for _ in range(h)])


def rotated(m):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    return saved(m, "JPEG", quality=95, exif=exif, subsampling=0)


def files():
    m = picture(45, 33)
    alpha = Image.fromarray(numpy.tile(numpy.arange(45, dtype=numpy.uint8) * 5, (33, 1)), "L")
    rgba = m.copy()
    rgba.putalpha(alpha)
    palette = m.quantize(31)
    yield "jpeg 4:4:4", saved(m, "JPEG", quality=90, subsampling=0)
    yield "jpeg 4:2:2", saved(m, "JPEG", quality=90, subsampling=1)
    yield "jpeg 4:2:0", saved(m, "JPEG", quality=90, subsampling=2)
    yield "jpeg 4:2:0 odd", saved(picture(31, 17), "JPEG", quality=90, subsampling=2)
    yield "jpeg 4:2:0 tiny", saved(picture(3, 2), "JPEG", quality=90, subsampling=2)
    yield "jpeg progressive", saved(m, "JPEG", quality=85, progressive=True)
    yield "jpeg grey", saved(m.convert("L"), "JPEG", quality=90)
    yield "jpeg cmyk", saved(m.convert("CMYK"), "JPEG", quality=95)
    yield "jpeg exif", rotated(m)
    yield "png rgb", saved(m, "PNG")
    yield "png grey", saved(m.convert("L"), "PNG")
    yield "png 1 bit", saved(m.convert("1"), "PNG")
    yield "png grey alpha", saved(rgba.convert("LA"), "PNG")
    yield "png rgba", saved(rgba, "PNG")
    yield "png palette", saved(palette, "PNG")
    yield "png palette transparent", saved(palette, "PNG", transparency=3)
    yield "png 16 bit rgb", deep(2, 3, 9, 7)
    yield "png 16 bit rgba", deep(6, 4, 9, 7)
    yield "png 16 bit grey alpha", deep(4, 2, 9, 7)
    yield "gif", saved(palette, "GIF")
    yield "webp lossy", saved(m, "WEBP", quality=90)
    yield "webp lossy odd", saved(picture(31, 17), "WEBP", quality=80)
    yield "webp lossy alpha", saved(rgba, "WEBP", quality=90)
    yield "webp lossless", saved(m, "WEBP", lossless=True)
    yield "webp lossless alpha", saved(rgba, "WEBP", lossless=True, exact=True)


def main():
    out = {
        "script": "decode.py", "seed": SEED, "pillow": PIL.__version__, "libjpeg": features.version("libjpeg_turbo"),
        "webp": features.version("webp"), "numpy": numpy.__version__, "python": platform.python_version(), "files": [],
    }
    for name, data in files():
        m = Image.open(io.BytesIO(data)).convert("RGB")
        out["files"].append({"name": name, "data": base64.b64encode(data).decode(), "w": m.size[0], "h": m.size[1], "pix": base64.b64encode(m.tobytes()).decode()})
    print(json.dumps(out))


main()
