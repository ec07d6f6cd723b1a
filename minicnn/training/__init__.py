"""Training: `step` is one step and `loop` repeats it; `evaluation` and `cross_validation` judge.

`samples` brings data to a backend, `team` and `ranks` say who shares the work; `history`,
`progress` and `interrupt` are what is recorded, shown, and done at Ctrl-C.
"""
