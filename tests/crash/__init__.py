"""Runs that are killed, starved of money or of disk: what ``BatchManager`` promises when things go wrong."""
