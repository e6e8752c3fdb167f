"""Filters, epochs, montage: arrays in, arrays out; no I/O, no clock, no threads."""
