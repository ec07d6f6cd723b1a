"""Networks as files: checkpoints that are whole or not there, descriptions, ONNX, PyTorch."""
