"""Real runs that are not training, one per file: what a device has, what a step really takes."""
