"""Short, real training: data, checkpoints, runs, predictions and evaluations, the loop and its verdict.

``data`` is a register: one file per data set. A run is a folder that :mod:`archscope.training.runs` lays out; nothing
in it is ever unpickled.
"""
