"""Lowerings of a graph into something that runs or is read elsewhere. One target per file; the folder is the register.

A target reads the graph and the :class:`~archscope.core.records.Call` of each op, and nothing else: what one target
builds and what another prints cannot drift apart. ``forward`` is what they share: how a block runs, as Python source.
"""
