"""Mistral: ``encode`` is pure and needs no SDK; ``provider`` does."""
