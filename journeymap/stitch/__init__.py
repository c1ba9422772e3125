"""What a set of events means: `definition` says it whole, `stitcher` computes it event by event. Pure."""
