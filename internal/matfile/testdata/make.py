# Makes small files in the manner of Cars196 with SciPy, an implementation of
# the format that is not ours. Made with Python 3.11, NumPy 1.24.2, SciPy 1.10.1:
#
#	python3 make.py
import numpy as np
import scipy.io

rows = [("car_ims/000001.jpg", 112, 7, 853, 717, 1, 0),
        ("car_ims/000002.jpg", 48, 24, 441, 202, 1, 1),
        ("car_ims/000003.jpg", 7, 4, 277, 180, 99, 0),
        ("car_ims/000004.jpg", 33, 50, 197, 150, 196, 1)]
fields = ["relative_im_path", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "test"]
annotations = np.empty((1, len(rows)), dtype=[(f, object) for f in fields])
for i, row in enumerate(rows):
    for f, v in zip(fields, row):
        annotations[f][0, i] = v if f == "relative_im_path" else np.uint8(v) if f == "test" else np.int16(v)
names = np.empty((1, 196), dtype=object)
for i in range(196):
    names[0, i] = "Make Modèle %d" % (i + 1)
for name, packed in (("packed.mat", True), ("plain.mat", False)):
    scipy.io.savemat(name, {"annotations": annotations, "class_names": names, "x": np.arange(6.0).reshape(2, 3),
                            "empty": np.zeros((0, 3)), "flag": np.array([True, False])}, do_compression=packed)
