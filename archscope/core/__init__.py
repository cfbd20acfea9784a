"""What every other room speaks in: places, errors, sizes, arithmetic and the plain records.

Nothing here knows a network, an op or torch.
"""
