"""The functions of `../contest.py`, which says what they compute, as LLVM instructions."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .tile import address, load, register_length, splat, vector_type


@intrinsic
def contest(typing, tile, x, o, tap):
    def generate(context, builder, signature, arguments):
        value, data, place, number = arguments
        best, winner = (builder.extract_value(value, r) for r in range(2))
        candidate = load(builder, tile, address(context, builder, x, data, place))
        greater_or_nan = builder.fcmp_unordered(">", candidate, best)
        wins = builder.and_(greater_or_nan, builder.fcmp_ordered("ord", best, best))
        vector = vector_type(tile.scalar)
        taps = splat(builder, builder.sitofp(number, vector.element), vector.count)
        value = builder.insert_value(value, builder.select(wins, candidate, best), 0)
        return builder.insert_value(value, builder.select(wins, taps, winner), 1)

    return tile(tile, x, types.intp, types.intp), generate


@intrinsic
def store_winner(typing, tile, winner, o, least):
    def generate(context, builder, signature, arguments):
        value, data, place, number = arguments
        kind = winner_type(context, tile, winner)
        best, row = (builder.extract_value(value, r) for r in range(2))
        lowest = splat(builder, number, kind.count)
        less = builder.fcmp_ordered("<", row, lowest)
        raised = builder.and_(less, builder.fcmp_unordered("uno", best, best))
        row = builder.select(raised, lowest, row)
        row = builder.fptosi(row, ir.VectorType(ir.IntType(32), kind.count))
        if winner.dtype.bitwidth < 32:  # not at once: 8 signed bits end at 127
            row = builder.trunc(row, kind)
        pointer = address(context, builder, winner, data, place)
        builder.store(row, builder.bitcast(pointer, kind.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(tile, winner, types.intp, tile.scalar), generate


@intrinsic
def add_where_won(typing, tile, dy, winner, o, tap):
    def generate(context, builder, signature, arguments):
        value, dy_data, winner_data, place, number = arguments
        kind = winner_type(context, tile, winner)
        pointer = address(context, builder, winner, winner_data, place)
        winners = builder.load(builder.bitcast(pointer, kind.as_pointer()), align=1)
        wanted = splat(builder, builder.trunc(number, kind.element), kind.count)
        slopes = load(builder, tile, address(context, builder, dy, dy_data, place))
        nothing = ir.Constant(slopes.type, None)
        slopes = builder.select(builder.icmp_signed("==", winners, wanted), slopes, nothing)
        total = builder.fadd(builder.extract_value(value, 0), slopes)
        return builder.insert_value(value, total, 0)

    return tile(tile, dy, winner, types.intp, types.intp), generate


def winner_type(context, tile, winner):
    """A vector of as many winners as a register holds numbers."""
    return ir.VectorType(context.get_value_type(winner.dtype), register_length(tile.scalar))
