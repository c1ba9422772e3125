"""Frozen values that every stage of an event's path shares. Pure: no I/O, no clock."""
