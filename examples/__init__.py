"""Examples: ``python -m examples.NAME``, with ``--model claude-haiku-5-5`` on a real provider."""
