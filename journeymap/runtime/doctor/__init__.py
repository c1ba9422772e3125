"""What `journeymap doctor` looks at: a file a group of checks, and what runs them in order."""
