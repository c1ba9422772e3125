"""Journeymap: customers' journeys across every contact-centre channel, live, on one moving Gantt chart."""

__version__ = "0.1.0"
