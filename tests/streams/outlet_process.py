"""Run as a program: an EEG outlet whose first channel counts samples, and a marker outlet. `NAME SOURCE_ID FIRST`"""

import sys
import time

import numpy as np
import pylsl

from bci_live.streams.outlet import open_eeg_outlet, open_marker_outlet
from bci_live.types import StreamFacts

RATE = 250.0
name, source_id, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
eeg = open_eeg_outlet(StreamFacts(name, "EEG", source_id, "", "", RATE, ("count", "mV"), ("microvolts", "mV")))
markers = open_marker_outlet(StreamFacts(f"{name}-m", "Markers", f"{source_id}-m", "", "", 0.0, ("marker",), ("",)))
begin = pylsl.local_clock()
first = count
while True:
    until = first + int((pylsl.local_clock() - begin) * RATE)
    if until > count:
        index = np.arange(count, until)
        eeg.push_chunk(np.stack([index, np.ones(len(index))], 1).astype(np.float32), begin + (index - first) / RATE)
        for crossed in index[index % 100 == 0]:
            markers.push_sample([f"m{crossed}"], begin + (crossed - first) / RATE)
        count = until
    time.sleep(0.01)
