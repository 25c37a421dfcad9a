"""Give every kind of trained model its two ways to answer: one question at a time, and a batch job."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Protocol

import polars as pl

from personalize_local.engine.api import BatchSpec, DatasetType, EngineError, Query, Recommendation
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.serving.action_answers import ActionAnswers
from personalize_local.engine.serving.batch_lists import BatchLists
from personalize_local.engine.serving.batch_ranking import RANKINGS_PER_CHUNK, rank_records
from personalize_local.engine.serving.batch_records import BatchAnswers
from personalize_local.engine.serving.batch_segments import SEGMENTS_PER_CHUNK, BatchSegments
from personalize_local.engine.serving.batch_themes import THEMES_PER_CHUNK, BatchThemes
from personalize_local.engine.serving.item_lists import ItemLists, ItemMask
from personalize_local.engine.serving.questions import (
    AboutEverybody,
    AboutItem,
    AboutUser,
    AboutUserAndList,
    LoadedModel,
    Question,
)


class ServedModel(Protocol):
    """A trained model that answers: read-only, and safe to ask from many threads."""

    learns_from: ClassVar[DatasetType]  # whose streamed rows change its answers

    def __init__(self, model: LoadedModel) -> None: ...

    def recommend(
        self,
        query: Query,
        recent: pl.DataFrame | None = None,
        filters: ItemMask | None = None,
        promotions: Mapping[str, ItemMask] | None = None,
    ) -> list[Recommendation]:
        """Answer one question; `recent` are the user's rows streamed since the training.

        `promotions` maps the names of the query's promotions to their filters. A question that lacks what the recipe
        needs is an EngineError.
        """

    def batch(self, spec: BatchSpec, live: Snapshot) -> BatchAnswers:
        """Return what answers the lines of a batch job, with the rows of this moment; an EngineError if nothing can."""


class CommonLists(ItemLists):
    """The same list for everybody."""

    learns_from: ClassVar[DatasetType] = "INTERACTIONS"
    question: ClassVar[Question] = AboutEverybody()

    def batch(self, spec: BatchSpec, live: Snapshot) -> BatchAnswers:
        """Answer each line with a list, or with a list and its theme."""
        lists = BatchLists(spec, self.model, self.question, live)
        if spec.theme_item_name is not None:
            return BatchAnswers(BatchThemes(lists, spec.theme_item_name).answer, self.question.fields, THEMES_PER_CHUNK)
        return BatchAnswers(lists.answer, self.question.fields, lists.chunk_size)


class UserLists(CommonLists):
    """A list for each user."""

    question = AboutUser()


class RelatedLists(CommonLists):
    """A list beside each item."""

    question = AboutItem()


class RerankedLists(CommonLists):
    """The user's order of lists that are given."""

    question = AboutUserAndList()

    def recommend(
        self,
        query: Query,
        recent: pl.DataFrame | None = None,
        filters: ItemMask | None = None,
        promotions: Mapping[str, ItemMask] | None = None,  # noqa: ARG002 - lists that are given have none
    ) -> list[Recommendation]:
        """Return the query's list in the user's order."""
        return self.reranked(query, recent, filters)

    def batch(self, spec: BatchSpec, live: Snapshot) -> BatchAnswers:
        """Put each line's list in order."""
        lists = BatchLists(spec, self.model, self.question, live)
        return BatchAnswers(partial(rank_records, lists), self.question.fields, RANKINGS_PER_CHUNK)


class ActionLists:
    """Actions for each user."""

    learns_from: ClassVar[DatasetType] = "ACTION_INTERACTIONS"

    def __init__(self, model: LoadedModel) -> None:
        scorer: Any = model.scorer  # an algorithm that says so also has actions
        self._answers = ActionAnswers(scorer, model.data, model.seed)

    def recommend(
        self,
        query: Query,
        recent: pl.DataFrame | None = None,
        filters: ItemMask | None = None,
        promotions: Mapping[str, ItemMask] | None = None,  # noqa: ARG002 - actions have none
    ) -> list[Recommendation]:
        """Return the actions most likely taken."""
        return self._answers.best(query, recent, filters)

    def batch(self, spec: BatchSpec, live: Snapshot) -> BatchAnswers:  # noqa: ARG002 - refused whatever is in it
        """Refuse.

        Raises EngineError always.
        """
        raise EngineError("The recipe of this solution version does not answer batch jobs")


class Segments:
    """Users for each item or attribute; made of the users it was trained on, in batch jobs only."""

    learns_from: ClassVar[DatasetType] = "INTERACTIONS"

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    def recommend(
        self,
        query: Query,  # noqa: ARG002 - refused whatever is asked
        recent: pl.DataFrame | None = None,  # noqa: ARG002
        filters: ItemMask | None = None,  # noqa: ARG002
        promotions: Mapping[str, ItemMask] | None = None,  # noqa: ARG002
    ) -> list[Recommendation]:
        """Refuse: segments are made in batch jobs only.

        Raises EngineError always.
        """
        raise EngineError(f"The recipe {self._model.recipe_name} answers batch segment jobs only")

    def batch(self, spec: BatchSpec, live: Snapshot) -> BatchAnswers:
        """Answer each line with the users closest to it."""
        scorer: Any = self._model.scorer  # an algorithm that says so also has scores by key
        segments = BatchSegments(spec, scorer, self._model.data, live)
        return BatchAnswers(segments.answer, (scorer.record_field,), SEGMENTS_PER_CHUNK)
