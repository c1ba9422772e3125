"""Measurements beside their budgets; `python -m benchmarks` runs them all, `python -m benchmarks.<name>` one.

They need Linux (CPU time by thread) and, where a page is open, Chromium. None of them decides a test.
"""
