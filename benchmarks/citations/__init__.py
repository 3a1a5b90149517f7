"""How well citations are found and checked, measured on real documents: ``python -m benchmarks.citations``."""
