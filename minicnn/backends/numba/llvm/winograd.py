"""The functions of `../transforms.py`, which says what they compute, as LLVM instructions.

The matrix of a transform is known when a kernel is compiled. So its zeros and ones cost nothing,
and the two points of a pair ±p share their even and odd halves.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...minimal import matrices
from .tile import (
    Tile,
    address,
    broadcast,
    load,
    multiply_add,
    tile_of,
    vector_type,
)


@intrinsic(prefer_literal=True)
def load_inside(typing, rows, x, o, step, first, last):
    tile = Tile(x.dtype, rows.literal_value)

    def generate(context, builder, signature, arguments):
        _, data, place, stride, low, high = arguments
        zero, registers = ir.Constant(vector_type(tile.scalar), None), []
        zeros = cgutils.global_constant(builder, "zeros", zero)
        for r in range(tile.rows):
            above = builder.icmp_signed("<=", low, low.type(r))
            inside = builder.and_(above, builder.icmp_signed("<", high.type(r), high))
            there = builder.bitcast(address(context, builder, x, data, place), zeros.type)
            registers.append(load(builder, tile, builder.select(inside, there, zeros)))
            place = builder.add(place, stride)
        return tile_of(context, builder, tile, registers)

    return tile(rows, x, *[types.intp] * 4), generate


@intrinsic(prefer_literal=True)
def combined(typing, matrix, m, k, tile):
    name, transposed = matrix.literal_value[0], matrix.literal_value.endswith("t")
    by_point = matrices(m.literal_value, k.literal_value)[name]
    result = Tile(tile.scalar, by_point.shape[1] if transposed else len(by_point))

    def generate(context, builder, signature, arguments):
        column = [builder.extract_value(arguments[3], j) for j in range(tile.rows)]
        product = from_points if transposed else to_points
        return tile_of(context, builder, result, product(builder, by_point, column))

    return result(matrix, m, k, tile), generate


def to_points(builder, matrix, column):
    """Σ_j matrix[i, j] · column[j]; rows 1 and 2, 3 and 4 … belong to points p and −p."""
    rows = [weighted(builder, matrix[0], column)]
    for row in matrix[1:-1:2]:
        even = weighted(builder, row[0::2], column[0::2])
        odd = weighted(builder, row[1::2], column[1::2])
        rows += [builder.fadd(even, odd), builder.fsub(even, odd)]
    return [*rows, weighted(builder, matrix[-1], column)]


def from_points(builder, matrix, column):
    """Σ_j matrix[j, i] · column[j]: even rows i see a pair's sum, odd rows its difference."""
    pairs = list(zip(column[1:-1:2], column[2:-1:2]))
    sums = [column[0], *(builder.fadd(a, b) for a, b in pairs), column[-1]]
    differences = [column[0], *(builder.fsub(a, b) for a, b in pairs), column[-1]]
    kept = matrix[[0, *range(1, len(column) - 1, 2), -1]].T
    return [weighted(builder, row, differences if i % 2 else sums) for i, row in enumerate(kept)]


def weighted(builder, weights, column):
    """Σ_j weights[j] · column[j] of registers, the ones first: they need no product."""
    total, contract = None, ("contract",)  # a product and a sum may become one instruction
    terms = [(weight, register) for weight, register in zip(weights, column) if weight != 0]
    for weight, term in sorted(terms, key=lambda term: term[0] != 1):
        if weight != 1:
            constant = ir.Constant(term.type, [float(weight)] * term.type.count)
            term = builder.fmul(constant, term, flags=contract)
        total = term if total is None else builder.fadd(total, term, flags=contract)
    return total


@intrinsic
def add_outer(typing, tile, w, k, row_step, x, o, step):
    def generate(context, builder, signature, arguments):
        (value, w_data, k_value, apart, x_data, place, stride), vectors = arguments, []
        for _ in range(tile.columns):
            vectors.append(load(builder, tile, address(context, builder, x, x_data, place)))
            place = builder.add(place, stride)
        for r in range(tile.rows):
            weight = broadcast(builder, tile, address(context, builder, w, w_data, k_value), 0)
            for s, vector in enumerate(vectors):
                value = multiply_add(builder, tile, value, r * tile.columns + s, weight, vector)
            k_value = builder.add(k_value, apart)
        return value

    return tile(tile, w, types.intp, types.intp, x, types.intp, types.intp), generate
