"""Bounded, oldest out, nothing lost unsaid."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bci_live.live.mailbox import Mailbox


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=60))
def test_every_item_is_taken_or_handed_back_in_order(size: int, puts: list[bool]) -> None:
    mailbox: Mailbox[int] = Mailbox(size)
    taken, pushed_out, count = [], [], 0
    for put in puts:
        if put:
            out = mailbox.put(count)
            pushed_out += [] if out is None else [out]
            count += 1
        else:
            item = mailbox.take(0)
            taken += [] if item is None else [item]
        assert len(mailbox) <= size
    while (item := mailbox.take(0)) is not None:
        taken.append(item)
    assert sorted(taken + pushed_out) == list(range(count))
    assert taken == sorted(taken)
