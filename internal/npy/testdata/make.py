# Makes small arrays with NumPy. Made with Python 3.11, NumPy 1.24.2:
#
#	python3 make.py
import numpy as np

x = np.arange(12, dtype="<f4").reshape(4, 3) / 4
np.save("c.npy", x)
np.save("fortran.npy", np.asfortranarray(x.astype(">f8")))
np.save("labels.npy", np.array([3, 1, 3, 1]))
np.save("words.npy", np.array(["train", "tést", "", "train"]))
np.save("bytes.npy", np.array([b"ab", b"c"]))
np.save("scalar.npy", np.float16(2.5))
np.save("empty.npy", np.zeros((0, 3), dtype=np.float32))
np.save("objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
np.save("struct.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
np.lib.format.write_array(open("v2.npy", "wb"), x, version=(2, 0))
np.lib.format.write_array(open("v3.npy", "wb"), x, version=(3, 0))
np.savez("plain.npz", features=x, labels=np.array([3, 1, 3, 1]), split=np.array(["train", "train", "query", "gallery"]))
np.savez_compressed("packed.npz", features=x, labels=np.array([3, 1, 3, 1], dtype=np.uint8))
