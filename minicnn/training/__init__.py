"""Training: `step` is one step and `loop` repeats it; `evaluation` and `cross_validation` judge.

`samples` brings data to a backend, `team` and `ranks` say who shares the work, `rates` looks for a
learning rate; `progress` and `interrupt` are what is shown, and what is done at Ctrl-C.
"""
