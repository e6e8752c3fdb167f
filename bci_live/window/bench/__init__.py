"""How fast the window draws, beside plain pyqtgraph items."""
