"""Where stitched journeys are kept: the port in `base`, its implementations beside it."""
