"""Runs the page's engine under node: the same script as in the page, and engine.js below it."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from minicnn.microscope import written

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="no node: apt-get install nodejs")


def computed(data, mistake=None):
    """What the page computes of each step."""
    script = written.program(written.ENGINE) + Path(__file__).with_name("engine.js").read_text()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "program.js")
        program.write_text(script, encoding="utf-8")
        question = json.dumps({"data": data, "mistake": mistake})
        ran = subprocess.run(
            [NODE, program], input=question, capture_output=True, text=True, encoding="utf-8"
        )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
