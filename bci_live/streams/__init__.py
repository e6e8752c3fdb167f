"""LSL in and out."""
