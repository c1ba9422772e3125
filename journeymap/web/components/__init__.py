"""Functions that return parts of the page as trees of components."""
