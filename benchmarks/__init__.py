"""Benchmarks; each is a module with a ``main`` that prints one line of a table."""
