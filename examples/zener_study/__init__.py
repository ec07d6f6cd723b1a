"""The parts of the Zener study; `examples/zener.py` runs them."""
