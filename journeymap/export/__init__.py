"""Charts and data as files."""
