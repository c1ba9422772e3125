"""The platform's conversations without I/O: what comes in, what to do next. Pure."""
