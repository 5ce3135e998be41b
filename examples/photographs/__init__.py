"""Forty edits of real photographs that nothing was set on: made, laid out for looking at, and judged."""
