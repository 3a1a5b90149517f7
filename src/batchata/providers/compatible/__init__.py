"""Servers that follow OpenAI's Batch API: ``presets`` is data, ``server`` needs OpenAI's SDK."""
