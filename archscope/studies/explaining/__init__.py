"""A number of a network, derived from the rule that computes it."""
