# Makes small files of tensors with PyTorch. Made with Python 3.11, PyTorch
# 1.13.0, NumPy 1.24.2:
#
#	python3 make.py
import collections
import os

import torch

x = torch.arange(12, dtype=torch.float32).reshape(4, 3) / 4
torch.save(x, "tensor.pt")
torch.save({"features": x, "labels": torch.tensor([3, 1, 3, 1]), "nested": {"half": x.half(), "brain": x.bfloat16()},
            "list": [x.double(), torch.tensor([True, False])], "note": "text", "number": 7, "float": 0.5, "none": None,
            "transposed": x.t(), "part": x[1:3, 1:], "scalar": torch.tensor(2.5), "bytes": torch.tensor([1, 255], dtype=torch.uint8),
            "expanded": torch.ones(1).expand(1000)}, "dict.pt")
layer = torch.nn.Linear(3, 2)
with torch.no_grad():
    layer.weight.copy_(torch.arange(6.0).reshape(2, 3))
    layer.bias.zero_()
torch.save(layer.state_dict(), "state.pt")
torch.save({"weight": layer.weight}, "parameter.pt")
torch.save(x, "legacy.pt", _use_new_zipfile_serialization=False)
torch.save(x, "protocol4.pt", pickle_protocol=4)


class Evil:
    def __reduce__(self):
        return (os.system, ("true",))


torch.save({"features": x, "evil": Evil()}, "evil.pt")
torch.save({"array": x.numpy()}, "numpy.pt")
