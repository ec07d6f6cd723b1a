"""The functions of `../contest.py`, which says what they compute, as LLVM instructions."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .tile import address, load, register_length, splat, tile_of


@intrinsic
def contest(typing, tile, x, o, tap):
    def wins(builder, candidate, best):
        return builder.fcmp_ordered(">", candidate, best)

    return tile(tile, x, types.intp, types.intp), taking_over(wins)


@intrinsic
def contest_with_nan(typing, tile, x, o, tap):
    def wins(builder, candidate, best):
        greater_or_nan = builder.fcmp_unordered(">", candidate, best)
        return builder.and_(greater_or_nan, builder.fcmp_ordered("ord", best, best))

    return tile(tile, x, types.intp, types.intp), taking_over(wins)


def taking_over(wins):
    def generate(context, builder, signature, arguments):
        (tile, x, *_), (value, data, place, number) = signature.args, arguments
        best, winner = (builder.extract_value(value, r) for r in range(2))
        candidate = load(builder, tile, address(context, builder, x, data, place))
        taps = builder.sitofp(number, candidate.type.element)
        won = wins(builder, candidate, best)
        best = builder.select(won, candidate, best)
        winner = builder.select(won, splat(builder, taps, candidate.type.count), winner)
        return tile_of(context, builder, tile, [best, winner])

    return generate


@intrinsic
def has_nan(typing, tile):
    def generate(context, builder, signature, arguments):
        best = builder.extract_value(arguments[0], 0)
        lanes = ir.IntType(best.type.count)
        nan = builder.bitcast(builder.fcmp_unordered("uno", best, best), lanes)
        return builder.icmp_unsigned("!=", nan, lanes(0))

    return types.boolean(tile), generate


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
        value, *places, number = arguments
        row = slopes(context, builder, signature.args, *places, "==", number)
        total = builder.fadd(builder.extract_value(value, 0), row)
        return builder.insert_value(value, total, 0)

    return tile(tile, dy, winner, types.intp, types.intp), generate


@intrinsic
def add_winners(typing, tile, dy, winner, o, step, taps):
    def generate(context, builder, signature, arguments):
        value, dy_data, winner_data, place, stride, number = arguments
        for r in range(tile.rows):
            places = dy_data, winner_data, place
            row = slopes(context, builder, signature.args, *places, "<", number)
            total = builder.fadd(builder.extract_value(value, r), row)
            value = builder.insert_value(value, total, r)
            place = builder.add(place, stride)
        return value

    return tile(tile, dy, winner, types.intp, types.intp, types.intp), generate


def slopes(context, builder, kinds, dy_data, winner_data, place, relation, number):
    """dy where the winner's number is == or < the given one, else 0."""
    tile, dy, winner = kinds[:3]
    kind = winner_type(context, tile, winner)
    pointer = address(context, builder, winner, winner_data, place)
    winners = builder.load(builder.bitcast(pointer, kind.as_pointer()), align=1)
    wanted = splat(builder, builder.trunc(number, kind.element), kind.count)
    row = load(builder, tile, address(context, builder, dy, dy_data, place))
    won = builder.icmp_unsigned(relation, winners, wanted)
    return builder.select(won, row, ir.Constant(row.type, None))


def winner_type(context, tile, winner):
    """A vector of as many winners as a register holds numbers."""
    return ir.VectorType(context.get_value_type(winner.dtype), register_length(tile.scalar))
