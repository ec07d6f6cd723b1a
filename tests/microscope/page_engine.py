"""Runs the page's engine under node: the same script as in the page, and engine.js below it."""

import atexit
import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from minicnn.microscope import written

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="no node: apt-get install nodejs")


@cache
def engine():
    """One process of node for all tests; it answers line by line."""
    script = written.program(written.ENGINE)
    script += Path(__file__).with_name("engine.js").read_text(encoding="utf-8")
    folder = tempfile.TemporaryDirectory()
    program = Path(folder.name, "program.js")
    program.write_text(script, encoding="utf-8")
    node = subprocess.Popen(
        [NODE, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )

    def end():
        node.stdin.close()
        node.wait()
        node.stdout.close()
        folder.cleanup()

    atexit.register(end)
    return node


def computed(data, mistake=None, nudged=None):
    """What the page computes of each step. (What goes wrong in node, it writes to stderr.)

    nudged: of how many numbers, evenly chosen; each computes the loss four times. None: of all.
    """
    node = engine()
    node.stdin.write(json.dumps({"data": data, "mistake": mistake, "nudged": nudged}) + "\n")
    node.stdin.flush()
    return json.loads(node.stdout.readline())
