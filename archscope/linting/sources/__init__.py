"""A user's Python source, read as syntax and never run."""
