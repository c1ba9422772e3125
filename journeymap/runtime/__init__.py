"""The running parts: clock, pipeline and background thread. Everything here does I/O or keeps time."""
