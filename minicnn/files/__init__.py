"""Networks as files: checkpoints that are whole or not there (`checkpoint`, from `model_file` and
`description`), histories, lines of text, ONNX, PyTorch; `kinds/` says what a layer is in each.
"""
