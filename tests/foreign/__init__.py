"""Servers that nobody here wrote: AIBrix's files and batches, with llama.cpp and the real small model behind them."""
