"""Recordings: XDF writing and reading, importers, replay as a fake stream."""
