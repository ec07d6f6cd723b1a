"""Drawings of what is joined to what: wires, boxes, a machine. `drawings.py` draws all of them."""

from svg import WIDTH, Drawing

# ── wires ────────────────────────────────────────────────────────────────────────────────────────


def wire(
    drawing: Drawing, start: tuple[float, float], end: tuple[float, float], value: str, slope: str
) -> None:
    """From left to right: its value over it, its gradient under it."""
    drawing.arrow([start, end], "forward wide")
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    drawing.text(x, y - 14, value, "forward")
    drawing.text(x, y + 15, slope, "backward")


def node(drawing: Drawing, x: float, y: float, sign: str) -> None:
    drawing.circle(x, y, 17)
    drawing.text(x, y, sign)


def key(drawing: Drawing, y: float) -> None:
    drawing.text(WIDTH / 2, y, "over a wire: its value · under it: its gradient", "small")


def chain_rule() -> Drawing:
    drawing = Drawing()
    for y, name, value, slope in ((35, "x", "1", "4"), (115, "y", "2", "4"), (180, "z", "4", "3")):
        drawing.text(10, y, name)
        end = (183, 112) if name == "z" else (93, 75 + (y - 75) * 0.25)
        wire(drawing, (20, y), end, value, slope)
    node(drawing, 112, 75, "+")
    wire(drawing, (130, 76), (182, 92), "3", "4")
    node(drawing, 200, 98, "·")
    wire(drawing, (218, 98), (325, 98), "12", "1")
    drawing.text(340, 98, "f")
    key(drawing, 215)
    return drawing


def two_paths() -> Drawing:
    drawing = Drawing()
    drawing.text(10, 45, "x = 3", "left")
    drawing.text(10, 67, "5 + 3 = 8", "left backward")
    drawing.line([(50, 45), (90, 45)], "forward wide")
    drawing.circle(90, 45, 3)
    wire(drawing, (92, 44), (232, 66), "3", "5")
    wire(drawing, (91, 47), (139, 122), "", "")
    drawing.text(130, 85, "3", "forward")
    drawing.text(98, 100, "3", "backward")
    drawing.text(10, 150, "y = 2", "left")
    wire(drawing, (50, 150), (132, 140), "", "3")
    node(drawing, 150, 137, "+")
    wire(drawing, (166, 128), (235, 82), "", "")
    drawing.text(192, 98, "5", "forward")
    drawing.text(214, 118, "3", "backward")
    node(drawing, 250, 72, "·")
    wire(drawing, (268, 72), (330, 72), "15", "1")
    drawing.text(344, 72, "f")
    key(drawing, 185)
    return drawing


def dense_wires() -> Drawing:
    drawing = Drawing()
    for j, y in enumerate((25, 75, 125)):
        for k, to in enumerate((50, 100)):
            drawing.arrow([(42, y), (178, to)], "forward" if k == 0 else "thin")
        drawing.circle(25, y, 16)
        drawing.text(25, y, "x" + "₁₂₃"[j])
        drawing.text(80, y + (50 - y) * 0.28 - 9, f"w₁{'₁₂₃'[j]}", "small forward")
    for k, y in enumerate((50, 100)):
        drawing.circle(196, y, 16)
        drawing.text(196, y, "y" + "₁₂"[k])
    drawing.text(220, 44, "= b₁ + w₁₁ · x₁", "left")
    drawing.text(220, 62, "   + w₁₂ · x₂ + w₁₃ · x₃", "left small")
    drawing.text(220, 100, "with w₂₁, w₂₂, w₂₃", "left small")
    return drawing


def softmax_steps() -> Drawing:
    drawing = Drawing()
    columns = (
        ("z", ("2", "1", "0")), ("eᶻ", ("7.39", "2.72", "1")), ("p", ("0.67", "0.24", "0.09")),
    )  # fmt: skip
    for k, (name, numbers) in enumerate(columns):
        x = 5 + 100 * k
        drawing.text(x + 28, 12, name)
        for row, number in enumerate(numbers):
            lit = " lit" if (k, row) == (2, 1) else ""
            drawing.rect(x, 24 + 30 * row, 56, 30, "forward" + lit)
            drawing.text(x + 28, 39 + 30 * row, number)
        if k < 2:
            drawing.arrow([(x + 60, 69), (x + 96, 69)], "forward")
            drawing.text(x + 78, 57, ("exp", "÷ sum")[k], "small")
    drawing.arrow([(263, 69), (296, 69)], "forward")
    drawing.text(328, 54, "−log 0.245", "small")
    drawing.text(328, 72, "L = 1.41")
    drawing.text(180, 128, "class 1 is right (filled)", "small")
    return drawing


def batch_norm_wires() -> Drawing:
    drawing = Drawing()
    names = ("x", "− μ", "÷ σ", "· γ", "+ β", "y")
    for k, name in enumerate(names):
        x = 30 + 60 * k
        if 0 < k < 5:
            drawing.rect(x - 20, 20, 40, 28)
        drawing.text(x, 34, name)
        if k:
            drawing.arrow([(x - (50 if k == 1 else 40), 34), (x - 21 + 12 * (k == 5), 34)],
                          "forward wide")  # fmt: skip
    drawing.text(180, 12, "x̂", "forward")
    for k, name in ((1, "μ"), (2, "σ")):
        drawing.arrow([(30, 44), (30, 78), (30 + 60 * k, 78), (30 + 60 * k, 49)], "forward")
        drawing.text(42 + 60 * k, 66, name, "small")
    drawing.text(120, 92, "of x itself: the surprise", "small")
    return drawing


def branches_wires() -> Drawing:
    """A residual block, and three branches side by side."""
    drawing = Drawing()
    drawing.text(12, 60, "x")
    drawing.arrow([(22, 60), (56, 60)], "forward wide")
    drawing.rect(57, 46, 52, 28)
    drawing.text(83, 60, "layers")
    drawing.arrow([(109, 60), (128, 60)], "forward wide")
    drawing.arrow([(38, 60), (38, 22), (145, 22), (145, 42)], "forward wide")
    node(drawing, 145, 60, "+")
    drawing.text(92, 12, "around", "small")
    drawing.arrow([(162, 60), (178, 60)], "forward wide")
    drawing.text(78, 92, "back: dx = dy + f′(dy)", "small backward")

    drawing.text(204, 60, "x")
    for k, y in enumerate((24, 60, 96)):
        start = [(214, 60), (228, 60), (228, y), (243, y)] if k != 1 else [(214, 60), (243, y)]
        drawing.arrow(start, "forward wide")
        drawing.rect(244, y - 13, 34, 26)
        drawing.text(261, y, "f" + "₀₁₂"[k])
        drawing.arrow([(278, y), (302, y)], "forward wide")
        drawing.rect(303, y - 18, 26, 36, "forward lit")
        drawing.text(316, y, "y" + "₀₁₂"[k])
    drawing.text(344, 60, "y")
    drawing.text(275, 126, "back: dx = the sum of all three", "small backward")
    return drawing


# ── the machine ──────────────────────────────────────────────────────────────────────────────────


def one_step() -> Drawing:
    """Forward down the left, backward up the right."""
    drawing = Drawing()
    stages = (
        ("digit", "1 × 5 × 5"), ("Conv2D", "2 × 4 × 4"), ("ReLU", "2 × 4 × 4"),
        ("MaxPool2D", "2 × 2 × 2"), ("Flatten", "8"), ("Dense", "3 logits"), ("loss", "0.799"),
    )  # fmt: skip
    kept = {"Conv2D": "needs the digit", "ReLU": "needs what was above 0",
            "MaxPool2D": "needs who won", "Dense": "needs the 8 numbers"}  # fmt: skip
    for k, (name, shape) in enumerate(stages):
        y = 6 + 48 * k
        drawing.rect(95, y, 110, 30)
        drawing.text(150, y + 15, name)
        drawing.text(45, y + 15, shape, "small forward")
        drawing.text(212, y + 15, kept.get(name, ""), "left small")
        if k:
            drawing.arrow([(135, y - 17), (135, y - 1)], "forward wide")
            drawing.arrow([(165, y - 1), (165, y - 17)], "backward wide")
    drawing.text(45, 344, "forward", "small forward")
    drawing.text(255, 344, "back: gradients", "small backward")
    return drawing


def who_takes_an_image() -> Drawing:
    """A batch of 32 images, shared out to ranks, threads and lanes."""
    drawing, side = Drawing(), 20
    drawing.text(180, 10, "a batch of 32 images")
    for rank in range(2):
        x = 4 + 180 * rank
        drawing.rect(x, 24, 172, 132)
        drawing.text(x + 86, 38, f"process {rank}")
        for thread in range(2):
            y = 52 + 52 * thread
            drawing.text(x + 8, y + 6, f"thread {thread}", "left small")
            for block in range(2):
                for lane in range(4):
                    image = 16 * rank + 8 * thread + 4 * block + lane
                    left = x + 4 + 84 * block + side * lane
                    drawing.rect(left, y + 16, side, side, "forward lit")
                    drawing.text(left + side / 2, y + 16 + side / 2, str(image), "smaller")
    drawing.text(180, 172, "four lanes of a register: four images at once", "small")
    return drawing


def cuda_tile() -> Drawing:
    """w times x is y: what a block of threads reads for its tile."""
    drawing = Drawing()
    drawing.rect(4, 96, 90, 70, "forward")
    drawing.rect(4, 116, 90, 24, "forward lit")
    drawing.text(49, 180, "w: filters × k", "small")
    drawing.rect(120, 4, 200, 80, "forward")
    drawing.rect(190, 4, 44, 80, "forward lit")
    drawing.text(335, 14, "x", "small")
    drawing.text(275, 48, "k × outputs", "small")
    drawing.rect(120, 96, 200, 70, "forward")
    drawing.rect(190, 116, 44, 24, "forward lit")
    drawing.text(220, 180, "y: filters × outputs", "small")
    drawing.arrow([(96, 128), (186, 128)], "forward wide")
    drawing.arrow([(212, 86), (212, 112)], "forward wide")
    drawing.text(180, 200, "a block of threads: its tile, and what it reads for it", "small")
    return drawing


PICTURES = (
    chain_rule, two_paths, dense_wires, softmax_steps, batch_norm_wires, branches_wires, one_step,
    who_takes_an_image, cuda_tile,
)  # fmt: skip
