"""Real-time brain-computer interface: EEG in over LSL, saliency maps and diffusion pictures out."""

__version__ = "0.1.0"
