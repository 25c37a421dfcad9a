"""Promote: give a share of a list's places to the best items that pass a filter of their own."""

import numpy as np
import numpy.typing as npt


def promote(
    listed: npt.NDArray[np.int32],
    promoted: npt.NDArray[np.int32],
    percent: int,
    length: int,
    generator: np.random.Generator,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the list with promoted items at random places, in their own order, and which items those are.

    An item is listed once; when too few items can be promoted, the others keep the places.

    `listed`, `promoted` and both answers are int32 positions of items.
    """
    chosen = promoted[: min(max(1, length * percent // 100), length)]
    others = listed[~np.isin(listed, chosen)][: length - len(chosen)]
    total = len(chosen) + len(others)
    places = np.sort(generator.choice(total, size=len(chosen), replace=False)) if total else np.zeros(0, np.int64)
    answer = np.empty(total, dtype=np.int32)
    taken = np.zeros(total, dtype=np.bool_)
    taken[places] = True
    answer[taken], answer[~taken] = chosen, others
    return answer, chosen
