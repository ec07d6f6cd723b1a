"""Where machine code for this processor is kept, and how it becomes bytes (`backends/kept.py`)."""

import pickle

from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from .. import kept

FOLDER = kept.find_folder("numba")


class KeptKernel(kept.KeptKernel):
    """lanes: the vector registers' length, on which the kernels' sources depend."""

    def __init__(self, function, lanes):
        super().__init__(FOLDER, function)
        self.lanes = lanes

    def compiled_for(self, context):
        return self.lanes, context.codegen().magic_tuple()

    def from_bytes(self, code, context):
        context.refresh()
        return CompileResult._rebuild(context, *pickle.loads(code))

    def to_bytes(self, result):
        if result.library.has_dynamic_globals:
            return None  # addresses of this process
        try:
            return dumps(result._reduce())
        except (TypeError, pickle.PicklingError):  # a function of no module takes along all names
            return None
