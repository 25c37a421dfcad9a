"""What IAM's Service Authorization Reference says about Amazon Personalize, against the policies of the handlers."""

import re
from typing import Final

import pytest

from lambdas.personalize.resources import RESOURCES
from stacks.access.personalize_actions import arn_paths
from stacks.grants import GRANTS
from stacks.permissions import StageResources

# Facts, from its page "Actions, resources, and condition keys for Amazon Personalize": the resource types that a Create
# requires besides its own. Every other operation on one resource requires that resource's type, and a List none.
REQUIRED_BESIDES: Final = {
    "CreateBatchInferenceJob": {"solution"},
    "CreateCampaign": {"solution"},
    "CreateDataDeletionJob": {"dataset-group"},
    "CreateDataset": {"dataset-group"},
    "CreateDatasetExportJob": {"dataset"},
    "CreateDatasetImportJob": {"dataset"},
    "CreateEventTracker": {"dataset-group"},
    "CreateFilter": {"dataset-group"},
    "CreateMetricAttribution": {"dataset-group"},
    "CreateRecommender": {"dataset-group"},
    "CreateSolution": {"dataset-group"},
    "GetSolutionMetrics": {"solution"},
}
# The reference knows no type of its own for these.
KNOWN_AS: Final = {"solution-version": "solution"}
TAGGABLE: Final = {
    "batch-inference-job", "batch-segment-job", "campaign", "data-deletion-job", "dataset", "dataset-export-job",
    "dataset-group", "dataset-import-job", "event-tracker", "filter", "recommender", "solution",
}  # fmt: skip
GRANTED: Final = [
    (module, action.removeprefix("personalize:"), permission.resource)
    for module, grant in GRANTS.items()
    for permission in grant.permissions
    for action in permission.actions
    if action.startswith("personalize:")
]


def required(operation: str) -> set[str]:
    """Return the types, as they begin ARNs, that the operation must be granted on."""
    if operation in ("TagResource", "ListTagsForResource"):
        return TAGGABLE
    noun = re.sub("^(Create|Delete|Describe|Start|Stop|Update|Get)", "", operation)
    kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower()
    own = {KNOWN_AS.get(kebab, kebab)} if operation != "GetSolutionMetrics" else set()
    return own | REQUIRED_BESIDES.get(operation, set())


@pytest.mark.parametrize(("module", "operation", "resource"), GRANTED)
def test_an_action_is_granted_on_every_type_that_iam_requires(module: str, operation: str, resource: object) -> None:
    if operation.startswith("List") and operation != "ListTagsForResource":
        assert not isinstance(resource, StageResources), module
        return
    assert isinstance(resource, StageResources), module
    types = {path.partition("/")[0] for path in arn_paths(resource.nouns, ("dev-*",))}
    assert types >= required(operation)


def test_every_arn_of_the_table_bears_the_stage_s_name_but_an_event_tracker_s() -> None:
    nameless = {row.noun for row in RESOURCES.values() if "{name}" not in row.arn_shape}
    assert nameless == {"event_tracker"}


def test_an_exact_name_does_not_open_what_only_begins_like_it() -> None:
    paths = arn_paths(("solution", "solution_version", "dataset", "campaign"), ("movies",))
    assert paths == ["campaign/movies", "dataset/movies/*", "solution/movies", "solution/movies/*"]
