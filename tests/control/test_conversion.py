"""Configurations in every form that the retired solution documents become requests; what remains is listed.

The forms are those of its README (sample, tags, tags at the root, training mode) and of its own test fixtures
(recommenders, segments); names and values are ours.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.conversion import NoConfigurationError, convert
from lambdas.requests.plan import Planner
from lambdas.requests.plan_check import check_request
from lambdas.requests.request_reading import parse_request
from tests.lambdas.requests.test_plan import ACCOUNT, Service

RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
NIGHTLY = {"schedules": {"full": "cron(0 1 * * ? *)", "update": "cron(0 5 * * ? *)"}}


def tags(value: str) -> list[dict[str, str]]:
    return [{"tagKey": "owner", "tagValue": value}]


def dataset(name: str, fields: dict[str, Any], **config: Any) -> dict[str, Any]:
    record = {"type": "record", "name": name, "namespace": "com.amazonaws.personalize.schema"}
    avro = {**record, "fields": [{"name": key, "type": kind} for key, kind in fields.items()], "version": "1.0"}
    return {
        "dataset": {"serviceConfig": {"name": f"{name}-data", **config}},
        "schema": {"serviceConfig": {"name": f"{name}-schema", "schema": avro}},
    }


CLICKS = {"ITEM_ID": "string", "USER_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"}
FILTER = {"name": "seen", "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("click")'}


def sample() -> dict[str, Any]:
    return {
        "datasetGroup": {
            "serviceConfig": {"name": "shop"},
            "workflowConfig": {"schedules": {"import": "cron(0 */6 * * ? *)"}},
        },
        "datasets": {
            "users": dataset("users", {"USER_ID": "string", "AGE": "int"}),
            "interactions": dataset("interactions", CLICKS),
        },
        "solutions": [
            {
                "serviceConfig": {"name": "taste", "recipeArn": RECIPE},
                "workflowConfig": NIGHTLY,
                "campaigns": [{"serviceConfig": {"name": "home", "minProvisionedTPS": 1}}],
                "batchInferenceJobs": [{"serviceConfig": {}, "workflowConfig": {"schedule": "cron(0 3 * * ? *)"}}],
            }
        ],
        "eventTracker": {"serviceConfig": {"name": "shop-events"}},
        "filters": [{"serviceConfig": FILTER}],
    }


def tagged() -> dict[str, Any]:
    configuration = sample()
    configuration["datasetGroup"]["serviceConfig"]["tags"] = tags("group")
    configuration["datasets"]["serviceConfig"] = {"importMode": "FULL", "tags": tags("imports")}
    configuration["datasets"]["interactions"] = dataset("interactions", CLICKS, tags=tags("clicks"))
    configuration["eventTracker"]["serviceConfig"]["tags"] = tags("events")
    configuration["solutions"][0]["serviceConfig"] |= {
        "tags": tags("solution"),
        "solutionVersion": {"name": "v1", "trainingMode": "UPDATE", "tags": tags("version")},
    }
    return configuration


def tagged_at_the_root() -> dict[str, Any]:
    return {**sample(), "tags": tags("root")}


def with_recommenders_and_segments() -> dict[str, Any]:
    configuration = sample()
    configuration["datasetGroup"]["serviceConfig"]["domain"] = "ECOMMERCE"
    configuration["recommenders"] = [{"serviceConfig": {"name": "top", "recipeArn": RECIPE}}]
    jobs = [{"serviceConfig": {"tags": tags("a")}}, {"serviceConfig": {"numResults": 9}}]
    configuration["solutions"].append(
        {"serviceConfig": {"name": "segments", "performAutoML": True}, "batchSegmentJobs": jobs}
    )
    return configuration


FORMS = [sample, tagged, tagged_at_the_root, with_recommenders_and_segments]


@pytest.mark.parametrize("form", FORMS)
def test_each_documented_form_becomes_a_request_that_could_run(form: Any) -> None:
    request = parse_request(convert(form()).request)
    check_request(Planner(request, "run", ACCOUNT), Service())


def test_everything_of_the_sample_has_its_place() -> None:
    converted = convert(sample())
    request = converted.request
    assert request["datasetGroup"] == {"name": "shop"}
    assert request["datasets"]["users"]["name"] == "users-data"
    assert request["datasets"]["users"]["schema"]["fields"][1] == {"name": "AGE", "type": "int"}
    assert request["filters"] == [FILTER]
    assert request["solutions"] == [
        {
            "name": "taste",
            "recipeArn": RECIPE,
            "campaigns": [{"name": "home", "minProvisionedTPS": 1}],
            "batchInferenceJobs": [{"template": "taste-batch"}],
        }
    ]
    assert request["schedules"] == [
        {"name": "import", "action": "IMPORT", "scheduleExpression": "cron(0 */6 * * ? *)"},
        {
            "name": "taste-batch",
            "action": "BATCH",
            "template": "taste-batch",
            "scheduleExpression": "cron(0 3 * * ? *)",
        },
        {
            "name": "taste-full",
            "action": "TRAIN",
            "solution": "taste",
            "trainingMode": "FULL",
            "train": "ALWAYS",
            "scheduleExpression": "cron(0 1 * * ? *)",
        },
        {
            "name": "taste-update",
            "action": "TRAIN",
            "solution": "taste",
            "trainingMode": "UPDATE",
            "scheduleExpression": "cron(0 5 * * ? *)",
        },
    ]
    assert [remark.partition(":")[0] for remark in converted.remarks] == [
        "$.datasets.users.schema.serviceConfig.name",
        "$.datasets.interactions.schema.serviceConfig.name",
    ]
    assert not [remark for remark in converted.remarks if "has no counterpart in a request" in remark]


def test_tags_are_those_that_the_retired_solution_gave() -> None:
    request = convert(tagged()).request
    assert request["datasetGroup"]["tags"] == tags("group")
    clicks, users = request["datasets"]["interactions"], request["datasets"]["users"]
    assert (clicks["tags"], clicks["importJob"]["tags"]) == (tags("clicks"), tags("imports"))
    assert users["tags"] == []  # it had none, and shall not inherit any
    (solution,) = request["solutions"]
    assert (solution["tags"], solution["versionTags"], solution["trainingMode"]) == (
        tags("solution"), tags("version"), "UPDATE",
    )  # fmt: skip
    assert solution["campaigns"][0]["tags"] == []
    root = convert(tagged_at_the_root()).request
    assert "tags" not in json.dumps({**root, "datasetGroup": {}})
    assert root["datasetGroup"]["tags"] == tags("root")


def test_no_configuration_is_refused_with_what_it_lacks() -> None:
    wrongs: list[Any] = [[], {}, {"datasetGroup": "shop"}, {"datasetGroup": {"serviceConfig": {}}}]
    for wrong in wrongs:
        with pytest.raises(NoConfigurationError, match=r"datasetGroup\.serviceConfig\.name"):
            convert(wrong)


def leaves(value: Any) -> list[Any]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if parts is None else [leaf for part in parts for leaf in leaves(part)]


@given(st.sampled_from(FORMS), st.data())
def test_whatever_is_added_anywhere_is_carried_over_or_told(form: Any, data: st.DataObject) -> None:
    configuration = form()
    places = _structures(configuration)
    data.draw(st.sampled_from(places))["unheardOf"] = "a-value-that-stands-out"
    converted = convert(configuration)
    kept = "a-value-that-stands-out" in leaves(converted.request)
    assert kept or any("unheardOf" in remark for remark in converted.remarks)


def _structures(value: Any) -> list[dict[str, Any]]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    here = [value] if isinstance(value, dict) else []
    return [*here, *(found for part in parts for found in _structures(part))]
