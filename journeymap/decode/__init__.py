"""A record becomes events, or a rejection with its reason. Pure."""
