"""One question per file: what it answers is plain data, made from graphs and profiles."""
