"""Ids of the page's elements: the hooks that users and tests hold on to first, then our own wiring."""

from __future__ import annotations

from typing import Final

# Page hooks (docs/http.md): changing one is a change of the contract.
TIMELINE: Final = "timeline"
CONNECTION_STATE: Final = "connection-state"
FILTER_CUSTOMER: Final = "filter-customer"
FILTER_CHANNEL: Final = "filter-channel"
FILTER_STATE: Final = "filter-state"
PAUSE: Final = "pause"
EXPORT_PNG: Final = "export-png"
EXPORT_SVG: Final = "export-svg"
EXPORT_CSV: Final = "export-csv"
JOURNEY_TABLE: Final = "journey-table"

# The path of a question and its answer.
TICK: Final = "tick"
QUESTION: Final = "question"
ANSWER: Final = "answer"
DRAWN: Final = "drawn"

# The shell.
SHELL: Final = "shell"
BRAND: Final = "brand"
THEME: Final = "theme"
HELP: Final = "help"
HELP_SHEET: Final = "help-sheet"
LIVE: Final = "live"
NOTICE: Final = "notice"
NOTICE_TEXT: Final = "notice-text"
NOTICE_RETRY: Final = "notice-retry"
ANNOUNCER: Final = "announcer"
FILTERS: Final = "filters"
FILTERS_TOGGLE: Final = "filters-toggle"
FILTERS_CLEAR: Final = "filters-clear"
FILTERS_APPLIED: Final = "filters-applied"
COUNTS: Final = "counts"

CHANNEL_CHOICE: Final = "channel-choice"
STATE_CHOICE: Final = "state-choice"

# The wall.
WALL: Final = "wall"
WINDOW: Final = "window"
ZOOM_IN: Final = "zoom-in"
ZOOM_OUT: Final = "zoom-out"
ZOOM_FIT: Final = "zoom-fit"
PAN_BACK: Final = "pan-back"
PAN_ON: Final = "pan-on"
BACK_TO_LIVE: Final = "back-to-live"
TIMELINE_AXIS: Final = "timeline-axis"
TIMELINE_ROWS: Final = "timeline-rows"
TIMELINE_EMPTY: Final = "timeline-empty"
TABLE_TOGGLE: Final = "table-toggle"
TABLE_PANEL: Final = "table-panel"
CARD: Final = "card"

# Exports.
EXPORT_WANTED: Final = "export-wanted"
EXPORT_FIGURE: Final = "export-figure"
EXPORT_DONE: Final = "export-done"
CSV_WANTED: Final = "csv-wanted"
CSV_FILE: Final = "csv-file"

# The journey page.
JOURNEY: Final = "journey"
JOURNEY_QUESTION: Final = "journey-question"
JOURNEY_SEEN: Final = "journey-seen"
JOURNEY_HEAD: Final = "journey-head"
JOURNEY_FIGURE: Final = "journey-figure"
JOURNEY_CHART: Final = "journey-chart"
JOURNEY_CHART_FRAME: Final = "journey-chart-frame"
JOURNEY_LISTS: Final = "journey-lists"

# The operations view.
OPERATIONS: Final = "operations"
OPERATIONS_LINK: Final = "operations-link"
OPERATIONS_QUESTION: Final = "operations-question"
OPERATIONS_ANSWER: Final = "operations-answer"
OPERATIONS_DRAWN: Final = "operations-drawn"
OPERATIONS_TITLE: Final = "operations-title"
OPERATIONS_AS_OF: Final = "operations-as-of"
OPERATIONS_EXPLAIN: Final = "operations-explain"
OPERATIONS_VERDICT: Final = "operations-verdict"
OPERATIONS_RATE: Final = "operations-rate"
OPERATIONS_SOURCES: Final = "operations-sources"
OPERATIONS_SOURCES_TITLE: Final = "operations-sources-title"
OPERATIONS_SOURCE: Final = "operations-source"
OPERATIONS_NO_SOURCE: Final = "operations-no-source"
OPERATIONS_GAPS: Final = "operations-gaps"
OPERATIONS_GAPS_WORDS: Final = "operations-gaps-words"
OPERATIONS_STRIP: Final = "operations-strip"
OPERATIONS_STRIP_AXIS: Final = "operations-strip-axis"
OPERATIONS_QUARANTINE: Final = "operations-quarantine"
OPERATIONS_QUARANTINE_WORDS: Final = "operations-quarantine-words"
