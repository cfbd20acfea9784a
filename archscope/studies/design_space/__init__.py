"""Many designs of a network at once: which there are, their numbers, the best of them."""
