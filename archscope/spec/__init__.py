"""What a paper says, without sizes: tables with the place of every cell, the notation of cells, and the Spec.

    Table (cells with places) --compiler--> Spec (layers and blocks) --knobs--> Spec --naming--> Spec

Invariants: a Spec has no sizes; ``notation`` knows no op; everything that came from a cell keeps its Span.
"""
