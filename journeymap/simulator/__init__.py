"""The simulated platform: a server of its own that shares no code with the client side of the protocol."""
