"""The reference: every operation of `contract` as its formula, in NumPy."""
