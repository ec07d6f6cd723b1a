"""The cheat sheet of the book. Formulas are those of the contract's docstrings; what a docstring
does not say (what is kept, what it costs, the trap) stands here.
"""

from inspect import getdoc
from typing import NamedTuple

from minicnn.backends.contract import Backend, operations

AROUND = ("arrays", "data", "steps", "conv2d_way")  # sections, and one more, that compute nothing


class Row(NamedTuple):
    """forward, backward: names of operations. kept: from forward to backward."""

    title: str
    forward: tuple[str, ...]
    backward: tuple[str, ...]
    kept: str
    cost: str
    trap: str


ROWS = (
    Row("[Dense](backprop/dense.md)", ("dense_forward",),
        ("dense_input_gradient", "dense_weight_gradient"),
        "x", "N · I · O multiply-adds forward, twice that backward",
        "dividing the weight's sum by N: the loss has done it"),
    Row("[Convolution](backprop/convolution.md)", ("conv2d_forward",),
        ("conv2d_input_gradient", "conv2d_weight_gradient"),
        "x (im2col: or its columns, KH · KW times as many numbers)",
        "N · F · OH · OW · C/G · KH · KW multiply-adds forward, twice that backward",
        "= in place of += where windows overlap"),
    Row("Bias", ("bias_forward",), ("bias_gradient",), "nothing", "an addition a number",
        "forgetting the sum over positions"),
    Row("[Pooling, maximum](backprop/pooling.md)", ("max_pool_forward",), ("max_pool_backward",),
        "which tap won", "KH · KW comparisons an output",
        "a share for every equal pixel, not for the first alone"),
    Row("[Pooling, mean](backprop/pooling.md)", ("avg_pool_forward",), ("avg_pool_backward",),
        "nothing", "KH · KW additions an output",
        "dividing by the window where the padding is not counted"),
    Row("Activation: [ReLU](backprop/relu.md), [sigmoid, tanh](backprop/sigmoid-tanh.md) …",
        ("activation_forward",), ("activation_backward",),
        "y (ReLU, sigmoid, tanh) or x (the others)", "a formula a number: memory is the limit",
        "the sign of dy tested instead of y's; x put into a slope that is written in y"),
    Row("[Batch normalisation](backprop/batch-norm.md)",
        ("batch_norm_forward", "batch_norm_inference"),
        ("batch_norm_backward", "batch_norm_inference_backward"),
        "x̂ and 1/√(σ² + eps)", "two passes over x forward, two backward",
        "μ and σ taken for constants on the way back"),
    Row("[Group normalisation](backprop/batch-norm.md)", ("group_norm_forward",),
        ("group_norm_backward",), "x̂ and 1/√(σ² + eps) of each sample and group",
        "two passes over x forward, two backward",
        "gamma taken out of the sums of a group"),
    Row("[Dropout](backprop/dropout.md)", ("dropout_forward",), ("dropout_backward",), "the mask",
        "a random number and a product a number", "a new mask on the way back, or no scale"),
    Row("[Branches](backprop/branches.md)", ("add", "multiply", "concatenate"), ("split",),
        "the factors of a product, else nothing", "an operation, or a copy, a number",
        "the way around forgotten; = in place of += where ways meet"),
    Row("[Softmax and cross-entropy](backprop/softmax-cross-entropy.md)",
        ("softmax_cross_entropy_forward",), ("softmax_cross_entropy_backward",), "p",
        "an exponential a logit", "1/N forgotten; softmax twice; eᶻ of a large logit"),
    Row("[Sigmoid and cross-entropy](backprop/sigmoid-tanh.md)",
        ("sigmoid_cross_entropy_forward",), ("sigmoid_cross_entropy_backward",), "p",
        "an exponential and a logarithm a logit", "a sigmoid in the network as well"),
    Row("Mean squared error", ("mean_squared_error_forward",), ("mean_squared_error_backward",),
        "x and the target", "a product a number", "the 2, and the number of elements"),
    Row("Right answers", ("count_correct",), (), "nothing: it has no gradient",
        "a comparison a logit", "taking it for a loss: it is flat almost everywhere"),
    Row("[Optimisers](backprop/optimisers.md)",
        ("sgd_update", "rmsprop_update", "adagrad_update", "adam_update"), (),
        "v (momentum), s (RMSprop, Adagrad), m and s (Adam): as many numbers as weights each",
        "3 to 7 numbers read or written a weight: memory is the limit",
        "Adam without its correction; a rate not tuned again when momentum is added"),
    Row("Penalty and clipping", ("penalty", "clip"), ("add_penalty_gradient",), "nothing",
        "a pass over the weights, or over the gradients", "clipping after the step"),
)  # fmt: skip


def sheet() -> str:
    """Every operation of the contract, as Markdown."""
    return "\n\n".join([*map(card, ROWS), "## Around them", around()])


def card(row: Row) -> str:
    cells = [
        ("forward", formulas(row.forward)), ("backward", formulas(row.backward) or "–"),
        ("kept", row.kept), ("cost", row.cost), ("the trap", row.trap),
    ]  # fmt: skip
    lines = [f"| {name} | {text} |" for name, text in cells]
    return "\n".join([f"## {row.title}", "", "| | |", "|---|---|", *lines])


def formulas(names: tuple[str, ...]) -> str:
    texts = []
    for name in names:
        lines = (f"`{line.replace('`', '')}`".replace("|", "\\|") for line in formula(name))
        texts.append("<br>".join([f"**{name}**", *lines]))
    return "<br>".join(texts)


def formula(name: str) -> list[str]:
    """The formulas of a docstring, which stand apart, and its first sentence if that is one too."""
    first = sentence(name)
    for paragraph in documentation(name).split("\n\n")[1:]:
        if paragraph.startswith("    ") or "←" in paragraph:
            lines = [line.strip() for line in paragraph.splitlines()]
            return [first, *lines] if " = " in first[:10] else lines
    return [first]


def around() -> str:
    rows = [f"| `{name}` | {sentence(name)} |" for name in names_around()]
    return "\n".join(["| | |", "|---|---|", *rows])


def names_around() -> list[str]:
    return [name for name, section in operations().items() if {name, section} & set(AROUND)]


def sentence(name: str) -> str:
    """The first sentence of an operation's docstring."""
    paragraph = " ".join(documentation(name).partition("\n\n")[0].split())
    return paragraph.replace(".  ", ". ").partition(". ")[0].rstrip(".")


def documentation(name: str) -> str:
    text = getdoc(getattr(Backend, name))
    assert text, f"{name} has no docstring"
    return text
