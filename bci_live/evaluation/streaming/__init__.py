"""How late epochs are and what gets lost: one sender, and two listeners to the same outlets, ours and mne-lsl's."""
