"""Half precision, where it is faster."""

from __future__ import annotations

import torch


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 for the large operations; on a CPU without the instructions for it, where it is ten times slower, nothing."""
    able = device.type != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return torch.autocast(device.type, torch.bfloat16, enabled=able)
