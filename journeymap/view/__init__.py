"""Journeys become tracks, rows, summaries and documents. Pure, and without Dash."""
