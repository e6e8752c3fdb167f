"""A head that sees: what the electrodes of a simulated person pick up while pictures are shown."""
