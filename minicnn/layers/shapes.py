"""Which shapes a layer takes, and what a batch of another shape may hold."""

from collections.abc import Iterator
from math import isqrt

from .parameter import Shape


def readings(shape: Shape) -> Iterator[tuple[str, str, Shape]]:
    """What a batch that does not fit may be: how to pass it, what it holds, and a sample of it."""
    if len(shape) == 4:
        yield "x.transpose(0, 3, 1, 2)", "images (N, H, W, C)", (shape[3], *shape[1:3])
    if len(shape) == 3:
        yield "x[:, None]", "images (N, H, W)", (1, *shape[1:])
        yield "x[None]", "a single image (C, H, W)", shape
        yield "x.transpose(2, 0, 1)[None]", "a single image (H, W, C)", (shape[2], *shape[:2])
    if len(shape) == 2:
        yield "x[None, None]", "a single image (H, W)", (1, *shape)
        yield "x[None]", "a single sample", shape
        side = isqrt(shape[1])
        if side**2 == shape[1]:
            yield f"x.reshape(-1, 1, {side}, {side})", "images as rows of pixels", (1, side, side)


def image_shape(input_shape: Shape, channels: int | None, layer: object) -> tuple[int, int, int]:
    """(C, H, W) of an input sample; ValueError when it is not an image with `channels` channels."""
    wanted = f"(N, {'C' if channels is None else channels}, H, W)"
    if len(input_shape) != 3 or channels not in (None, input_shape[0]):
        got = of_batch(input_shape)
        raise ValueError(f"{layer}: wanted images of shape {wanted}, got {got}")
    if 0 in input_shape:
        raise ValueError(f"{layer}: an image of {input_shape[1]} × {input_shape[2]} has no pixel")
    return input_shape


def rows_or_images(input_shape: Shape, channels: int | None, layer: object) -> Shape:
    """The shape itself; ValueError unless it is (C,) or (C, H, W) with `channels` channels."""
    if len(input_shape) not in (1, 3) or channels not in (None, input_shape[0]):
        got, c = of_batch(input_shape), "C" if channels is None else channels
        raise ValueError(f"{layer}: wanted shape (N, {c}) or (N, {c}, H, W), got {got}")
    return input_shape


def of_batch(sample: Shape) -> str:
    """The shape of a batch of such samples, as errors write it: (N, 3, 28, 28)."""
    return f"({', '.join(map(str, ('N', *sample)))})"
