"""A release: the source archive holds all of a clone, the wheel exactly the package, which works
without the clone. To be run in a clean copy of the checkout, where `build` is installed.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TRAINING = """
import sys
import numpy as np
import minicnn as nn

assert nn.__file__.startswith(sys.prefix), nn.__file__
images, labels = np.random.default_rng(0).random((32, 1, 8, 8)), np.arange(32) % 4
for backend in ("numpy", "numba"):
    network = nn.Sequential(nn.Flatten(), nn.Dense(64, 4), seed=0).to(backend)
    history = nn.fit(network, nn.SoftmaxCrossEntropy(), nn.Adam(1e-2), (images, labels), epochs=20)
    assert history["train_loss"][-1] < history["train_loss"][0]
nn.microscope.write("step.html", network, nn.SoftmaxCrossEntropy(), images[:4], labels[:4])
"""


def python(*words, **keywords):
    subprocess.run([sys.executable, *words], check=True, **keywords)


clone = {str(path) for path in Path().rglob("*") if path.is_file()}
clone = {name for name in clone if not name.startswith(".")}
package = {name for name in clone if name.startswith("minicnn/")}

python("-m", "build")
(source,) = Path("dist").glob("*.tar.gz")
(wheel,) = Path("dist").glob("*.whl")

with tarfile.open(source) as archive:
    packed = {member.name.split("/", 1)[1] for member in archive if member.isfile()}
assert clone <= packed, sorted(clone - packed)
made = {name for name in packed - clone if name != "PKG-INFO" and ".egg-info/" not in name}
assert not made, sorted(made)

with zipfile.ZipFile(wheel) as archive:
    packed = {name for name in archive.namelist() if ".dist-info/" not in name}
assert packed == package, sorted(packed ^ package)
assert {"minicnn/py.typed", "minicnn/microscope/page/page.html"} <= packed

python("-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
with tempfile.TemporaryDirectory() as empty:
    python("-m", "minicnn", cwd=empty)
    python("-c", TRAINING, cwd=empty)
