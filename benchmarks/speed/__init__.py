"""What a run costs beside the work itself: CPU and memory for each item, against a floor written by hand.

``python -m benchmarks.speed --help`` says what can be measured.
"""
