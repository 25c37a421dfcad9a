"""Decide whether two patterns with IAM's wildcards can match the same text."""

import functools


def intersect(one: str, other: str) -> bool:
    """Say whether some text matches both patterns: ``*`` stands for any characters, none included, ``?`` for one."""

    @functools.cache
    def meet(left: int, right: int) -> bool:
        if left == len(one) and right == len(other):
            return True
        if left < len(one) and one[left] == "*":
            return meet(left + 1, right) or (right < len(other) and meet(left, right + 1))
        if right < len(other) and other[right] == "*":
            return meet(left, right + 1) or (left < len(one) and meet(left + 1, right))
        if left == len(one) or right == len(other):
            return False
        alike = one[left] == other[right] or "?" in (one[left], other[right])
        return alike and meet(left + 1, right + 1)

    return meet(0, 0)
