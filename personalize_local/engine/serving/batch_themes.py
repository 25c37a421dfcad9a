"""Name what the items of a list have in common (THEME_GENERATION).

The service asks a language model. Here the name is made from the words that the listed items share and the catalogue
does not: deterministic, local, and much plainer.
"""

import json

import numpy as np
import polars as pl

from personalize_local.engine.api import EngineError
from personalize_local.engine.interactions.item_texts import text_columns, weighted_words
from personalize_local.engine.serving.batch_lists import BatchLists
from personalize_local.engine.serving.batch_records import BatchRecords

THEMES_PER_CHUNK = 100  # the service's limit for a file
_WORDS = 2


class BatchThemes:
    """One theme job."""

    def __init__(self, lists: BatchLists, item_name: str) -> None:
        catalogue = lists.catalogue
        names = catalogue.metadata.columns if catalogue.metadata is not None else []
        if item_name not in names:
            raise EngineError(f"The Items dataset has no column {item_name} to take item names from")
        self._lists = lists
        self._weights, self._words = weighted_words(catalogue, text_columns(catalogue, lists.items_schema))

    def answer(self, records: BatchRecords) -> pl.Series:
        """Return the list, its theme and how well each item fits it as JSON text."""
        lists = self._lists.answer(records)
        outputs = [
            None if output is None or error is not None else self._named(json.loads(output)["recommendedItems"])
            for output, error in zip(lists.to_list(), records.errors.to_list(), strict=True)
        ]
        return pl.Series(outputs, dtype=pl.String)

    def _named(self, items: list[str]) -> str:
        rows = self._weights[self._lists.catalogue.find(items)]
        strength = np.asarray(rows.sum(axis=0)).ravel()
        best = np.argsort(-strength, kind="stable")[:_WORDS]
        best = best[strength[best] > 0]
        direction = np.zeros(rows.shape[1], dtype=np.float32)
        direction[best] = strength[best] / max(float(np.linalg.norm(strength[best])), 1e-12)
        theme = " ".join(self._words[int(word)] for word in best).capitalize() or "Items liked together"
        relevance = [round(float(fit), 8) for fit in rows @ direction]
        return json.dumps({"recommendedItems": items, "theme": theme, "itemsThemeRelevanceScores": relevance})
