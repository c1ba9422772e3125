"""Holds events for the reorder window and lets them go in order. Pure."""
