"""Averages, spectra, accuracy: small plots that look like the rest of the window."""
