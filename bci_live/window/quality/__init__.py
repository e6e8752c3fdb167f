"""How good the electrodes are, and whether what they carry is EEG."""
