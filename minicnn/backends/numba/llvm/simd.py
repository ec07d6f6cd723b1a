"""The functions of `../simd.py`, which says what they compute, as LLVM instructions."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .tile import (
    Tile,
    address,
    broadcast,
    deinterleaved,
    interleaved,
    load,
    multiply_add,
    register_length,
    splat,
    starts,
    tile_of,
    vector_type,
)


@intrinsic
def length(typing, array):
    def generate(context, builder, signature, arguments):
        return context.get_constant(types.intp, register_length(array.dtype))

    return types.intp(array), generate


@intrinsic(prefer_literal=True)
def zeros(typing, rows, columns, array):
    tile = Tile(array.dtype, rows.literal_value, columns.literal_value)

    def generate(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(tile), None)

    return tile(rows, columns, array), generate


@intrinsic(prefer_literal=True)
def repeat(typing, rows, columns, b, i):
    tile = Tile(b.dtype, rows.literal_value, columns.literal_value)

    def generate(context, builder, signature, arguments):
        start = address(context, builder, b, *arguments[2:])
        numbers = [broadcast(builder, tile, start, r) for r in range(tile.rows)]
        return tile_of(context, builder, tile, [n for n in numbers for _ in range(tile.columns)])

    return tile(rows, columns, b, types.intp), generate


@intrinsic(prefer_literal=True)
def load_tile(typing, rows, columns, x, o, row_step, column_step):
    tile = Tile(x.dtype, rows.literal_value, columns.literal_value)

    def generate(context, builder, signature, arguments):
        _, _, data, *places = arguments
        places = starts(builder, tile, *places)
        rows = [load(builder, tile, address(context, builder, x, data, o)) for o in places]
        return tile_of(context, builder, tile, rows)

    return tile(rows, columns, x, types.intp, types.intp, types.intp), generate


@intrinsic
def add_products(typing, tile, w, k, x, o, step):
    def generate(context, builder, signature, arguments):
        value, w_data, k_value, x_data, place, stride = arguments
        weights = address(context, builder, w, w_data, k_value)
        vectors = []
        for _ in range(tile.columns):
            vectors.append(load(builder, tile, address(context, builder, x, x_data, place)))
            place = builder.add(place, stride)
        for r in range(tile.rows):
            weight = broadcast(builder, tile, weights, r)
            for s, vector in enumerate(vectors):
                value = multiply_add(builder, tile, value, r * tile.columns + s, weight, vector)
        return value

    return tile(tile, w, types.intp, x, types.intp, types.intp), generate


@intrinsic
def add_row_products(typing, tile, w, rows, i, x, o, step):
    def generate(context, builder, signature, arguments):
        value, w_data, row_starts, i_value, x_data, place, stride = arguments
        vectors = []
        for _ in range(tile.columns):
            vectors.append(load(builder, tile, address(context, builder, x, x_data, place)))
            place = builder.add(place, stride)
        for r in range(tile.rows):
            start = address(context, builder, w, w_data, builder.extract_value(row_starts, r))
            weight = broadcast(builder, tile, builder.gep(start, [i_value]), 0)
            for s, vector in enumerate(vectors):
                value = multiply_add(builder, tile, value, r * tile.columns + s, weight, vector)
        return value

    return tile(tile, w, rows, types.intp, x, types.intp, types.intp), generate


@intrinsic
def add_dots(typing, tile, a, rows, i, b, columns, j):
    def generate(context, builder, signature, arguments):
        value, a_data, row_starts, i_value, b_data, column_starts, j_value = arguments

        def vectors(array, data, starts, count, moved):
            for n in range(count):
                start = address(context, builder, array, data, builder.extract_value(starts, n))
                yield load(builder, tile, builder.gep(start, [moved]))

        across = list(vectors(b, b_data, column_starts, columns.count, j_value))
        for r, row in enumerate(vectors(a, a_data, row_starts, rows.count, i_value)):
            for s, column in enumerate(across):
                value = multiply_add(builder, tile, value, r * columns.count + s, row, column)
        return value

    return tile(tile, a, rows, types.intp, b, columns, types.intp), generate


@intrinsic
def add_rows(typing, tile, x, o, step):
    def generate(context, builder, signature, arguments):
        value, data, start, stride = arguments
        for r in range(tile.rows):
            place = builder.add(start, builder.mul(stride, stride.type(r)))
            row = load(builder, tile, address(context, builder, x, data, place))
            total = builder.fadd(builder.extract_value(value, r), row)
            value = builder.insert_value(value, total, r)
        return value

    return tile(tile, x, types.intp, types.intp), generate


@intrinsic
def store(typing, tile, y, o, row_step, column_step, count):
    def generate(context, builder, signature, arguments):
        value, data, *places, rows = arguments
        places = starts(builder, tile, *places)
        for r in range(tile.rows):
            with builder.if_then(builder.icmp_signed(">", rows, rows.type(r)), likely=True):
                for n in range(r * tile.columns, (r + 1) * tile.columns):
                    pointer = address(context, builder, y, data, places[n])
                    pointer = builder.bitcast(pointer, vector_type(tile.scalar).as_pointer())
                    register = builder.extract_value(value, n)
                    builder.store(register, pointer, tile.scalar.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(tile, y, types.intp, types.intp, types.intp, types.intp), generate


@intrinsic
def transposed(typing, x, o, step):
    tile = Tile(x.dtype, register_length(x.dtype))

    def generate(context, builder, signature, arguments):
        data, start, stride = arguments
        places = [builder.add(start, builder.mul(stride, stride.type(r))) for r in range(tile.rows)]
        rows = [load(builder, tile, address(context, builder, x, data, place)) for place in places]
        return tile_of(context, builder, tile, exchanged(builder, rows))

    return tile(x, types.intp, types.intp), generate


def exchanged(builder, rows):
    """L registers with rows and lanes exchanged."""
    half = len(rows) // 2
    # Interleaving row r with row r + half, log₂ L times, is shuffling a deck of cards: each time
    # the bits of (row number, lane number) move on by one, and so they change places.
    for _ in range(half.bit_length()):
        pairs = [interleaved(builder, rows[r], rows[r + half]) for r in range(half)]
        rows = [row for pair in pairs for row in pair]
    return rows


@intrinsic
def packed(typing, images, indices, n, k, scale, like):
    tile = Tile(like.dtype, register_length(like.dtype))

    def generate(context, builder, signature, arguments):
        data, chosen, n_value, first, factor, _ = arguments
        array = cgutils.create_struct_proxy(images)(context, builder, value=data)
        size = builder.extract_value(array.shape, 1)
        lanes, found = vector_type(tile.scalar), []
        chosen = address(context, builder, indices, chosen, n_value)
        factors = splat(builder, factor, lanes.count)
        for r in range(tile.rows):
            row = builder.load(builder.gep(chosen, [ir.IntType(64)(r)]))
            row = builder.mul(row, size)
            start = builder.gep(array.data, [builder.add(row, first)])
            vector = ir.VectorType(start.type.pointee, lanes.count)
            pixels = builder.load(builder.bitcast(start, vector.as_pointer()))
            pixels.align = images.dtype.bitwidth // 8
            found.append(builder.fmul(as_floats(builder, pixels, lanes), factors))
        return tile_of(context, builder, tile, exchanged(builder, found))

    return tile(images, indices, types.intp, types.intp, tile.scalar, like), generate


def as_floats(builder, numbers, wanted):
    """A vector of bytes, float32 or float64 as one of the wanted float type."""
    found = numbers.type.element
    if isinstance(found, ir.IntType):
        return builder.uitofp(numbers, wanted)
    if found == wanted.element:
        return numbers
    return (builder.fpext if found == ir.FloatType() else builder.fptrunc)(numbers, wanted)


@intrinsic
def sums(typing, tile):
    result = Tile(tile.scalar, -(-tile.registers // register_length(tile.scalar)))

    def generate(context, builder, signature, arguments):
        rows = [builder.extract_value(arguments[0], n) for n in range(tile.registers)]
        empty = ir.Constant(vector_type(tile.scalar), None)
        rows += [empty] * (result.rows * register_length(tile.scalar) - tile.registers)
        # Adding the even to the odd lanes of two registers leaves both sums in one; after log₂ L
        # such rounds one holds the sums of L registers.
        while len(rows) > result.rows:
            halves = (deinterleaved(builder, a, b) for a, b in zip(rows[::2], rows[1::2]))
            rows = [builder.fadd(even, odd) for even, odd in halves]
        return tile_of(context, builder, result, rows)

    return result(tile), generate
