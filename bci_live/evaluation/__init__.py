"""Splits, metrics, controls, the report."""
