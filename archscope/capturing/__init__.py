"""Any ``nn.Module`` -> Graph: one forward on tensors without storage, every call of a torch operator written down.

No weights are allocated and nothing is computed. ``walk`` runs the forward; ``recorder`` sees each operator, ``plans``
finds the op that it is by what ops say they capture; ``standins`` holds what stands for the module's tensors;
``modules`` keeps the stack of modules; ``tape`` is what was seen, ``assembly`` makes the Graph of it. ``loading`` finds
what an address names, ``building`` makes it without weights, ``examples`` makes its inputs, and ``restore`` leaves the
caller's module as it was.
"""
