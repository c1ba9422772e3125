"""The platform's public APIs, told of the same conversations as its Event Streams side."""
