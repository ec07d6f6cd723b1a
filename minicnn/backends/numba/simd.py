"""A tile of vector registers that plain Python kernels can hold in a variable.

LLVM does not keep an array of accumulators in registers by itself: each += would go through
memory. A `Tile` is a Numba type that *is* registers: rows × columns vectors, each of as many
numbers as one register holds (L). Two ways to add to it carry every matrix product of this backend:

    add_products   tile[r, s] += w[k + r] · x[o_s : o_s + L]      one number of w for all L lanes
    add_dots       tile[r, s] += a[i_r : i_r + L] · b[j_s : j_s + L]       lane by lane

The first is for outputs with an image (or a feature) in each lane. The second is for sums over
images: at the end `sums` adds up each register's lanes. With two columns a weight is loaded once
for two registers of images, and loading no longer takes longer than multiplying.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from .runtime import LANES


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


# ── what kernels call ────────────────────────────────────────────────────────────────────────


@intrinsic
def length(typing, array):
    """L: how many of the array's numbers a register holds; a constant for the compiler."""

    def generate(context, builder, signature, arguments):
        return context.get_constant(types.intp, register_length(array.dtype))

    return types.intp(array), generate


@intrinsic(prefer_literal=True)
def zeros(typing, rows, columns, array):
    """A tile of zeros for numbers of the array's type; rows and columns must be constants."""
    tile = Tile(array.dtype, rows.literal_value, columns.literal_value)

    def generate(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(tile), None)

    return tile(rows, columns, array), generate


@intrinsic(prefer_literal=True)
def repeat(typing, rows, columns, b, i):
    """A tile with b[i + r] in all lanes of row r's registers."""
    tile = Tile(b.dtype, rows.literal_value, columns.literal_value)

    def generate(context, builder, signature, arguments):
        start = address(context, builder, b, *arguments[2:])
        numbers = [broadcast(builder, tile, start, r) for r in range(tile.rows)]
        return tile_of(context, builder, tile, [n for n in numbers for _ in range(tile.columns)])

    return tile(rows, columns, b, types.intp), generate


@intrinsic(prefer_literal=True)
def load_tile(typing, rows, columns, x, o, row_step, column_step):
    """A tile with x[o + r·row_step + s·column_step : … + L] in register (r, s)."""
    tile = Tile(x.dtype, rows.literal_value, columns.literal_value)

    def generate(context, builder, signature, arguments):
        _, _, data, *places = arguments
        places = starts(builder, tile, *places)
        rows = [load(builder, tile, address(context, builder, x, data, o)) for o in places]
        return tile_of(context, builder, tile, rows)

    return tile(rows, columns, x, types.intp, types.intp, types.intp), generate


@intrinsic
def add_products(typing, tile, w, k, x, o, step):
    """tile[r, s] + w[k + r] · x[o + s·step : … + L]."""

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
def add_dots(typing, tile, a, rows, i, b, columns, j):
    """tile[r·S + s] + a[rows[r] + i : … + L] · b[columns[s] + j : … + L], S = len(columns)."""

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
    """tile[r] + x[o + r·step : … + L] for every row r."""

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
    """y[o + r·row_step + s·column_step : … + L] = tile[r, s] for the first `count` rows r."""

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
    """The L × L numbers x[o + r·step + lane] with rows and lanes exchanged."""
    tile = Tile(x.dtype, register_length(x.dtype))

    def generate(context, builder, signature, arguments):
        data, start, stride = arguments
        places = [builder.add(start, builder.mul(stride, stride.type(r))) for r in range(tile.rows)]
        rows = [load(builder, tile, address(context, builder, x, data, place)) for place in places]
        half = tile.rows // 2
        # Interleaving row r with row r + half, log₂ L times, is shuffling a deck of cards: each
        # time the bits of (row number, lane number) move on by one, and so they change places.
        for _ in range(half.bit_length()):
            pairs = [interleaved(builder, rows[r], rows[r + half]) for r in range(half)]
            rows = [row for pair in pairs for row in pair]
        return tile_of(context, builder, tile, rows)

    return tile(x, types.intp, types.intp), generate


@intrinsic
def sums(typing, tile):
    """The sum over the lanes of every register, as a tile of as many rows as that fills.

    Adding the even to the odd lanes of two registers leaves both sums in one; after log₂ L such
    rounds one holds the sums of L registers. Zeros fill up what is no multiple of L.
    """
    result = Tile(tile.scalar, -(-tile.registers // register_length(tile.scalar)))

    def generate(context, builder, signature, arguments):
        rows = [builder.extract_value(arguments[0], n) for n in range(tile.registers)]
        empty = ir.Constant(vector_type(tile.scalar), None)
        rows += [empty] * (result.rows * register_length(tile.scalar) - tile.registers)
        while len(rows) > result.rows:
            halves = (deinterleaved(builder, a, b) for a, b in zip(rows[::2], rows[1::2]))
            rows = [builder.fadd(even, odd) for even, odd in halves]
        return tile_of(context, builder, result, rows)

    return result(tile), generate


# ── how they become LLVM instructions ────────────────────────────────────────────────────────


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
