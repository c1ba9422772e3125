"""How a period is fetched again from the platform's records, without I/O."""
