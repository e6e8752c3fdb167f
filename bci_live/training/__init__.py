"""Training loops: plain PyTorch, one file each."""
