"""One picture of a graph or of its numbers per file, as text that formats and commands print or write."""
