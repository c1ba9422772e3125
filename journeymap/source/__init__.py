"""Where events come from: the port in `base`, its implementations beside it."""
