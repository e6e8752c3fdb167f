"""The signal panel: columns of pixels, how they are drawn, and what stands over them."""
