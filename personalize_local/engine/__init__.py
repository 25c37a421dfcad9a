r"""Recommend with the recipes of Amazon Personalize, on this machine: datasets, training, metrics, answers, batch.

Imports neither moto nor boto3 nor anything else of `personalize_local`. Begin with `Engine`, the one object that others
use; `RECIPES` lists the algorithms. An example, which runs as a test:

>>> import json, tempfile
>>> from pathlib import Path
>>> fields = [{"name": n, "type": t} for n, t in (("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"))]
>>> schema = {"type": "record", "name": "Interactions", "namespace": "films", "version": "1.0", "fields": fields}
>>> events = DatasetRef("films/INTERACTIONS", "INTERACTIONS", json.dumps(schema))
>>> taken = [(user, user % 5 * 10 + (user // 5 + step) % 10, step) for user in range(100) for step in range(0, 24, 2)]
>>> rows = "".join(f"u{user},i{item},{1_700_000_000 + step}\n" for user, item, step in taken)
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "events.csv").write_text(f"USER_ID,ITEM_ID,TIMESTAMP\n{rows}")
>>> engine = Engine(folder / "data", workers=1)
>>> engine.import_files(events, [folder / "events.csv"], "FULL").result().rows_total
1200
>>> spec = TrainingSpec("films/1", "aws-user-personalization", [events], {}, now=1_700_000_100.0)
>>> engine.train(spec).result().metrics["normalized_discounted_cumulative_gain_at_10"] > 0.2
True
>>> query = Query(now=1_700_000_100.0, user_id="u13", num_results=2)
>>> [line.item_id[:-1] for line in engine.recommend("films/1", query)]
['i3', 'i3']
>>> engine.close()
"""

import os

from personalize_local.engine.api import (
    BatchReport,
    BatchSpec,
    DatasetRef,
    EngineError,
    FilterUse,
    ImportReport,
    Promotion,
    Query,
    Recommendation,
    TrainingResult,
    TrainingSpec,
)
from personalize_local.engine.engine import Engine
from personalize_local.engine.recipes.recipe_table import RECIPES

__all__ = [
    "RECIPES",
    "BatchReport",
    "BatchSpec",
    "DatasetRef",
    "Engine",
    "EngineError",
    "FilterUse",
    "ImportReport",
    "Promotion",
    "Query",
    "Recommendation",
    "TrainingResult",
    "TrainingSpec",
]

# The recommenders use a thread per core themselves. BLAS threads underneath wait for one another: with one busy
# neighbour they cost a factor of twenty. BLAS reads this once, so it must be set before numpy is imported, which
# nothing above does.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
