"""Traces, the metrics of libraries, and where both are found."""
