"""Small settings that come back at the next start: one JSON file each, validated when it is read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bci_live.config import complaint

_log = logging.getLogger(__name__)
Kept = TypeVar("Kept", bound=BaseModel)


def write_kept(file: Path, values: BaseModel, what: str) -> None:
    """Keep `values` for the next start; where that cannot be, the log says that `what` is not remembered."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(values.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except (OSError, UnicodeEncodeError) as error:
        _log.warning("%s is not remembered: '%s' cannot be written (%s).", what, file, error)


def read_kept(file: Path, kind: type[Kept]) -> Kept | None:
    """What was kept; None where there is nothing, or nothing that can be read, of which the log tells."""
    try:
        return kind.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("'%s' is ignored, because it cannot be read (%s).", file, error)
    except ValidationError as error:
        _log.warning("'%s' is ignored: %s. It is written anew.", file, complaint(error))
    return None
