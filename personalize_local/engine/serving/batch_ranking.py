"""Put every record's own list in its user's order, in a batch."""

import json

import numpy as np
import polars as pl

from personalize_local.engine.serving.batch_lists import BatchLists
from personalize_local.engine.serving.batch_records import BatchRecords
from personalize_local.engine.serving.item_lists import significant, softmax

RANKINGS_PER_CHUNK = 10_000


def rank_records(lists: BatchLists, records: BatchRecords) -> pl.Series:
    """Return each record's reranked list and scores as JSON text."""
    histories = lists.histories(records.keys)
    block = np.empty((1, len(lists.catalogue)), dtype=np.float32)
    outputs: list[str | None] = [None] * len(records)
    for row in records.errors.is_null().arg_true().to_list():
        lists.scorer.score(histories, row, row + 1, block)
        if lists.model.cold_users is not None and not histories.lengths[row]:
            lists.model.cold_users.add([records.keys[row]], block)
        allowed = lists.mask_for(row, records)
        outputs[row] = _rank(lists, records.details[row]["itemList"], block[0], allowed)
    return pl.Series(outputs, dtype=pl.String)


def _rank(lists: BatchLists, wanted: list[str], logits: np.ndarray, allowed: np.ndarray | None) -> str:
    names = pl.Series(list(dict.fromkeys(wanted)), dtype=pl.String)
    positions = lists.catalogue.find(names)
    known = (positions >= 0) & (positions < lists.catalogue.warm)
    if allowed is not None:
        kept = (positions < 0) | allowed[positions]
        names, positions, known = names.filter(pl.Series(kept)), positions[kept], known[kept]
    order = np.argsort(-logits[positions[known]], kind="stable")
    chances = softmax(logits[positions[known]][order])
    ranked = names.filter(pl.Series(known)).gather(order).to_list()
    unknown = names.filter(pl.Series(~known)).to_list()
    return json.dumps(
        {"recommendedItems": ranked + unknown, "scores": [significant(float(chance)) for chance in chances]}
    )
