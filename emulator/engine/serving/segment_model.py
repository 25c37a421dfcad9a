"""A trained segment recipe in memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from emulator.engine.api import EngineError, Query, Recommendation
from emulator.engine.interactions.histories import Floats
from emulator.engine.interactions.model_files import load_arrays, load_data, load_facts
from emulator.engine.interactions.sparse_matrices import from_rows
from emulator.engine.recipes.item_affinity import Affinity, items_with, one_per_item, parse_attributes
from emulator.engine.recipes.recipe_table import RECIPES


class SegmentModel:
    """A trained segment recipe. Segments are made of the users it was trained on."""

    def __init__(self, directory: Path) -> None:
        self.recipe = RECIPES[load_facts(directory)["recipe"]]
        self.data = load_data(directory)
        fitted = load_arrays(directory / "fitted")
        size = len(self.data.catalogue)
        self.affinity = Affinity(from_rows(fitted["data"], fitted["indices"], fitted["indptr"], size))

    def scores(self, keys: Sequence[str]) -> Floats:
        """Return users x questions; a question of several attributes is as close as the farthest of them."""
        if self.recipe.family == "item_affinity":
            items = self.data.catalogue.find(keys)
            return self.affinity.users_by_question(self.data.histories, one_per_item(items, len(self.data.catalogue)))
        columns = [
            self.affinity.users_by_question(
                self.data.histories, items_with(self.data.catalogue, parse_attributes(key))
            ).min(axis=1)
            for key in keys
        ]
        return np.stack(columns, axis=1)

    def recommend(
        self, _query: Query, _recent: pl.DataFrame | None = None, _filters: Any = None, _promotions: Any = None
    ) -> list[Recommendation]:
        """Refuse: segments are made in batch jobs only."""
        raise EngineError(f"The recipe {self.recipe.name} answers batch segment jobs only")
