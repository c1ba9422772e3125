"""The Notification Service's conversation without I/O: topic channels, their sockets, and what is subscribed to on which."""
