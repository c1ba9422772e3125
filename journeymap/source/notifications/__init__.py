"""The Notification Service as a source."""
