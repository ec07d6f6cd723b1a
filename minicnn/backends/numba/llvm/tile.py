"""Numba's type of a tile, and the instructions that move its registers.

LLVM does not keep an array of accumulators in registers by itself: each += would go through
memory. A `Tile` is a Numba type that *is* registers: rows × columns vectors, each of as many
numbers as one register holds.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

from ..runtime import LANES


class Tile(types.Type):
    """Numba's type of a tile: rows × columns registers of numbers of one float type."""

    def __init__(self, scalar, rows, columns=1):
        self.scalar, self.rows, self.columns = scalar, rows, columns
        self.registers = rows * columns
        super().__init__(name=f"Tile({scalar} × {register_length(scalar)}, {rows} × {columns})")


@register_model(Tile)
class TileModel(models.PrimitiveModel):
    def __init__(self, manager, tile):
        super().__init__(manager, tile, ir.ArrayType(vector_type(tile.scalar), tile.registers))


def register_length(scalar):
    """How many numbers a register holds: LANES float32, half as many float64."""
    return LANES * 32 // scalar.bitwidth


def vector_type(scalar):
    number = ir.FloatType() if scalar.bitwidth == 32 else ir.DoubleType()
    return ir.VectorType(number, register_length(scalar))


# ── instructions ─────────────────────────────────────────────────────────────────────────────


def address(context, builder, array, data, index):
    """Pointer to element `index` of a one-dimensional array."""
    start = cgutils.create_struct_proxy(array)(context, builder, value=data).data
    return builder.gep(start, [index])


def starts(builder, tile, o, row_step, column_step):
    """o + r·row_step + s·column_step for every register (r, s)."""
    places = []
    for _ in range(tile.rows):
        place = o
        for _ in range(tile.columns):
            places.append(place)
            place = builder.add(place, column_step)
        o = builder.add(o, row_step)
    return places


def load(builder, tile, pointer):
    pointer = builder.bitcast(pointer, vector_type(tile.scalar).as_pointer())
    return builder.load(pointer, align=tile.scalar.bitwidth // 8)


def splat(builder, number, lanes):
    """The number in every lane."""
    nothing = ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined)
    first = builder.insert_element(nothing, number, ir.IntType(32)(0))
    return shuffled(builder, first, nothing, [0] * lanes)


def broadcast(builder, tile, start, offset):
    """start[offset] in every lane."""
    number = builder.load(builder.gep(start, [ir.IntType(64)(offset)]))
    return splat(builder, number, vector_type(tile.scalar).count)


def multiply_add(builder, tile, value, register, a, b):
    """value with register + a · b in place of the register.

    One instruction, which rounds once, where the processor has it; else a product and a sum.
    ("llvm.fma" would promise to round once, and call a slow function for it on older processors.)
    """
    vector = vector_type(tile.scalar)
    name = f"llvm.fmuladd.v{vector.count}f{tile.scalar.bitwidth}"
    fma = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [vector] * 3), name
    )
    total = builder.call(fma, [a, b, builder.extract_value(value, register)])
    return builder.insert_value(value, total, register)


def interleaved(builder, a, b):
    """a₀ b₀ a₁ b₁ … in two vectors."""
    lanes = [lane for pair in zip(range(a.type.count), range(a.type.count, 2 * a.type.count))
             for lane in pair]  # fmt: skip
    return [
        shuffled(builder, a, b, lanes[: a.type.count]),
        shuffled(builder, a, b, lanes[a.type.count :]),
    ]


def deinterleaved(builder, a, b):
    """The even lanes of a and b as one vector, and the odd ones."""
    return [shuffled(builder, a, b, list(range(odd, 2 * a.type.count, 2))) for odd in (0, 1)]


def shuffled(builder, a, b, lanes):
    """The given lanes of a followed by b."""
    return builder.shuffle_vector(
        a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
    )


def tile_of(context, builder, tile, rows):
    value = ir.Constant(context.get_value_type(tile), ir.Undefined)
    for r, row in enumerate(rows):
        value = builder.insert_value(value, row, r)
    return value
