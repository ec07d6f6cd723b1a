"""Convolutions in files, in ONNX and in PyTorch."""

from ...layers.convolution import Conv2D, ConvTranspose2D
from .kind import Twin, register

READ = {
    "bias": lambda module: module.bias is not None,
    "padding": lambda module: 0 if module.padding == "valid" else module.padding,
}
ONLY = {"padding_mode": "zeros"}


def conv2d(graph, layer, x, shape, name):
    inputs = [x, *graph.parameters(layer, name, "weight", "bias")]
    return graph.node(
        "Conv", inputs, f"{name}.y", group=layer.groups, dilations=layer.dilation,
        **graph.geometry(layer.window(shape)),
    )  # fmt: skip


def conv_transpose2d(graph, layer, x, shape, name):
    inputs = [x, *graph.parameters(layer, name, "weight", "bias")]
    return graph.node(
        "ConvTranspose", inputs, f"{name}.y", kernel_shape=layer.kernel_size, strides=layer.stride,
        pads=[*layer.padding, *layer.padding], output_padding=layer.output_padding,
        group=layer.groups, dilations=layer.dilation,
    )  # fmt: skip


register(Conv2D, conv2d, Twin("Conv2d", only=ONLY, read=READ), axes=(3, 3))
register(
    ConvTranspose2D, conv_transpose2d, Twin("ConvTranspose2d", only=ONLY, read=READ), axes=(3, 3)
)
