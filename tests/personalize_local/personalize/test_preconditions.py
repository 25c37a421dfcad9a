"""The rules checked in the call itself, in their order: ARN, existence, name, state, sense, quota."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.personalize_local.personalize.world import PREFIX, RECIPES, ROLE, World, avro


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"].removesuffix("Exception"), error["Message"]


def test_names_are_checked_before_states_and_states_before_sense(world: World) -> None:
    p = world.personalize
    group = p.create_dataset_group(name="movies")["datasetGroupArn"]
    solution = {"datasetGroupArn": group, "recipeArn": f"{RECIPES}aws-sims"}
    assert refused(p.create_solution, name="s", **{**solution, "recipeArn": f"{RECIPES}aws-x"})[0] == "ResourceNotFound"
    nonsense = {**solution, "performIncrementalUpdate": True}
    assert refused(p.create_solution, name="s", **nonsense)[0] == "ResourceInUse"
    world.finish(120)
    assert refused(p.create_solution, name="s", **nonsense)[0] == "InvalidInput"
    p.create_solution(name="s", **solution)
    assert refused(p.create_solution, name="s", **nonsense)[0] == "ResourceAlreadyExists"


def test_the_class_for_a_parent_not_active_is_a_switch(world: World) -> None:
    group = world.personalize.create_dataset_group(name="movies")["datasetGroupArn"]
    request = {"name": "t", "datasetGroupArn": group}
    assert refused(world.personalize.create_event_tracker, **request)[0] == "ResourceInUse"
    world.service.switches.parent_not_active = "InvalidInputException"
    assert refused(world.personalize.create_event_tracker, **request)[0] == "InvalidInput"


def test_a_taken_name_is_told_in_the_services_words(world: World) -> None:
    """Fact: the message is the one seen in public logs of the service."""
    arn = world.make_group("movies")
    code, message = refused(world.personalize.create_dataset_group, name="movies")
    assert (code, message) == ("ResourceAlreadyExists", f"Another resource with Arn {arn} already exists.")


def test_key_and_role_of_a_group_come_together(world: World) -> None:
    for part in ({"roleArn": ROLE}, {"kmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k"}):
        assert refused(world.personalize.create_dataset_group, name="g", **part)[0] == "InvalidInput"


@pytest.mark.parametrize(
    "schema",
    ["{}", " {", '{"type":"record","name":"Items","fields":[]}', avro("Items").replace("float", "money")],
)
def test_a_schema_must_be_avro_from_the_start(world: World, schema: str) -> None:
    assert refused(world.personalize.create_schema, name="s", schema=schema)[0] == "InvalidInput"


def test_a_text_that_is_no_json_object_is_kept_until_a_dataset_is_to_have_it(world: World) -> None:
    group, create = world.make_group(), world.personalize.create_schema
    arn = create(name="s", schema="sth")["schemaArn"]
    request = {"name": "d", "schemaArn": arn, "datasetGroupArn": group, "datasetType": "ITEMS"}
    assert refused(world.personalize.create_dataset, **request)[0] == "InvalidInput"
    world.service.switches.schema_check = "strict"
    assert refused(create, name="t", schema="sth")[0] == "InvalidInput"


def test_a_dataset_needs_a_schema_of_its_type_and_domain(world: World) -> None:
    group, shop = world.make_group(), world.make_group("shop", domain="ECOMMERCE")
    items = world.make_schema("ITEMS")
    create = world.personalize.create_dataset
    request = {"name": "d", "schemaArn": items, "datasetGroupArn": group}
    assert refused(create, **request, datasetType="USERS")[0] == "InvalidInput"
    assert refused(create, **request, datasetType="MOVIES")[0] == "InvalidInput"
    assert refused(create, **{**request, "datasetGroupArn": shop}, datasetType="ITEMS")[0] == "InvalidInput"
    arn = create(**request, datasetType="iTeMs")["datasetArn"]
    assert arn == f"{PREFIX}dataset/movies/ITEMS"
    assert refused(create, **{**request, "name": "other"}, datasetType="ITEMS")[0] == "ResourceAlreadyExists"


@pytest.mark.parametrize("location", ["s3://b/file.txt", "https://b/file.csv", "s3:///file.csv"])
def test_a_data_location_must_be_a_csv_or_a_folder(world: World, location: str) -> None:
    """Fact: the message is on the guide's error page."""
    dataset = world.make_dataset(world.make_group())
    answer = refused(
        world.personalize.create_dataset_import_job,
        jobName="j",
        datasetArn=dataset,
        dataSource={"dataLocation": location},
        roleArn=ROLE,
    )
    assert answer == ("InvalidInput", "Invalid Data location.")


def test_the_first_import_must_be_full_and_a_job_name_is_used_up(world: World) -> None:
    dataset = world.make_dataset(world.make_group())
    request = {"datasetArn": dataset, "dataSource": {"dataLocation": "s3://b/f.csv"}, "roleArn": ROLE}
    create = world.personalize.create_dataset_import_job
    assert refused(create, **request, jobName="first", importMode="INCREMENTAL")[0] == "InvalidInput"
    world.make_import(dataset)
    world.make_import(dataset, "second", importMode="INCREMENTAL")
    assert [mode for _, mode, _ in world.engine.imports] == ["FULL", "INCREMENTAL"]
    assert refused(create, **request, jobName="first")[0] == "ResourceAlreadyExists"


def test_missing_rights_and_files_show_in_the_job_not_in_the_call(world: World) -> None:
    dataset = world.make_dataset(world.make_group())
    world.personalize.create_dataset_import_job(
        jobName="j", datasetArn=dataset, dataSource={"dataLocation": "s3://not-ours/f.csv"}, roleArn=ROLE
    )
    world.finish()
    job = world.describe("dataset_import_job", f"{PREFIX}dataset-import-job/j")
    assert job["status"] == "CREATE FAILED"
    assert "Insufficient privileges for accessing data in Amazon S3." in job["failureReason"]
    assert "NoSuchBucket" in job["failureReason"]


def test_a_folder_is_read_on_its_first_level_only(world: World) -> None:
    """Fact: the guide says sub-folders are not read."""
    dataset = world.make_dataset(world.make_group())
    for key in ("in/a.csv", "in/b.csv", "in/deeper/c.csv", "in/readme.txt"):
        world.put_object(key, "USER_ID\nu\n")
    world.personalize.create_dataset_import_job(
        jobName="j", datasetArn=dataset, dataSource={"dataLocation": f"s3://{world.bucket}/in/"}, roleArn=ROLE
    )
    world.finish()
    assert world.engine.imports[-1][2] == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    "change",
    [
        {"performAutoML": True},
        {"recipeArn": f"{RECIPES}aws-vod-top-picks"},
        {"recipeArn": f"{RECIPES}aws-popularity-count", "performHPO": True},
        {"solutionConfig": {"algorithmHyperParameters": {"hidden_dimension": "1000"}}},
        {"solutionConfig": {"algorithmHyperParameters": {"hidden_dimension": "wide"}}},
        {"solutionConfig": {"algorithmHyperParameters": {"width": "1"}}},
        {"solutionConfig": {"featureTransformationParameters": {"hidden_dimension": "43"}}},
        {"solutionConfig": {"eventValueThreshold": "0.5"}},
        {"solutionConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}},
        {"solutionConfig": {"eventsConfig": {"eventParametersList": [{"eventType": "view", "weight": 1.0}]}}},
        {"solutionConfig": {"optimizationObjective": {"itemAttribute": "PRICE"}}},
        {
            "performHPO": True,
            "solutionConfig": {
                "hpoConfig": {
                    "algorithmHyperParameterRanges": {
                        "integerHyperParameterRanges": [{"name": "hidden_dimension", "minValue": 1, "maxValue": 64}]
                    }
                }
            },
        },
    ],
)
def test_a_solution_must_fit_its_recipe(world: World, change: dict[str, Any]) -> None:
    group = world.make_group()
    request = {"name": "s", "datasetGroupArn": group, "recipeArn": f"{RECIPES}aws-user-personalization", **change}
    assert refused(world.personalize.create_solution, **request)[0] == "InvalidInput"


def test_a_version_needs_its_datasets_and_update_needs_a_full_one(world: World) -> None:
    group = world.make_group()
    solution = world.make_solution(group)
    create = world.personalize.create_solution_version
    assert refused(create, solutionArn=solution)[0] == "InvalidInput"
    dataset = world.make_dataset(group)
    assert refused(create, solutionArn=solution, trainingMode="UPDATE")[0] == "InvalidInput"
    full = world.make_version(solution)
    world.make_import(dataset)
    world.make_version(solution, trainingMode="UPDATE")
    assert world.engine.trainings[-1].base_version == "taste/" + full.rpartition("/")[2]
    ranking = world.make_solution(group, "aws-personalized-ranking", name="ranking")
    world.make_version(ranking)
    assert refused(create, solutionArn=ranking, trainingMode="UPDATE")[0] == "InvalidInput"


@pytest.mark.parametrize("streamed", [True, False])
def test_an_update_needs_new_data(world: World, streamed: bool) -> None:
    """Fact: the words are those of AWS's own cheat sheet."""
    group, version = world.make_trained()
    request = {"solutionArn": version.rpartition("/")[0], "trainingMode": "UPDATE"}
    code, message = refused(world.personalize.create_solution_version, **request)
    assert (code, message.partition(" after")[0]) == ("InvalidInput", "There should be updates to at least one dataset")
    world.service.switches.update_needs_new_data = False
    assert world.make_version(request["solutionArn"], trainingMode="UPDATE")
    world.service.switches.update_needs_new_data = True
    items = world.make_dataset(group, "ITEMS")
    if streamed:
        properties = json.dumps({"price": 1.0, "categoryL1": "a", "creationTimestamp": 1})
        world.events.put_items(datasetArn=items, items=[{"itemId": "new", "properties": properties}])
    else:
        world.make_import(items, "goods")
    assert world.make_version(request["solutionArn"], trainingMode="UPDATE")


def test_a_version_may_follow_its_solution_at_once(world: World) -> None:
    group = world.make_group()
    world.make_import(world.make_dataset(group))
    create = world.personalize.create_solution
    solution = create(name="s", datasetGroupArn=group, recipeArn=f"{RECIPES}aws-user-personalization")["solutionArn"]
    assert world.status("solution", solution) == "CREATE PENDING"
    assert world.make_version(solution)
    world.service.faults.fail("solution", "no room")
    failed = create(name="t", datasetGroupArn=group, recipeArn=f"{RECIPES}aws-user-personalization")["solutionArn"]
    world.finish()
    assert refused(world.personalize.create_solution_version, solutionArn=failed)[0] == "ResourceInUse"


def test_events_may_follow_their_tracker_at_once(world: World) -> None:
    group = world.make_group()
    world.make_dataset(group)
    tracker = world.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    assert world.status("event_tracker", tracker["eventTrackerArn"]) == "CREATE PENDING"
    event = {"eventType": "view", "sentAt": 1_700_000_000, "itemId": "i1"}
    world.events.put_events(trackingId=tracker["trackingId"], sessionId="s", userId="u", eventList=[event])
    assert [row["ITEM_ID"] for _, row in world.engine.streamed] == ["i1"]


def test_a_named_version_has_its_name_in_the_arn_and_an_unnamed_one_an_id(world: World) -> None:
    group, unnamed = world.make_trained()
    assert world.describe("solution_version", unnamed)["name"] == "movies-taste/" + unnamed.rpartition("/")[2]
    solution = world.make_solution(group, name="named")
    named = world.make_version(solution, name="may")
    assert (named, world.describe("solution_version", named)["name"]) == (f"{solution}/may", "may")
    answer = refused(world.personalize.create_solution_version, solutionArn=solution, name="may")
    assert answer[0] == "ResourceAlreadyExists"


def test_segments_are_made_by_segment_jobs_and_nothing_else(world: World) -> None:
    group, version = world.make_trained()
    segments = world.make_version(world.make_solution(group, "aws-item-affinity", name="segments"))
    job = {
        "jobName": "j",
        "roleArn": ROLE,
        "jobInput": {"s3DataSource": {"path": "s3://b/in.json"}},
        "jobOutput": {"s3DataDestination": {"path": "s3://b/out/"}},
    }
    p = world.personalize
    assert refused(p.create_campaign, name="c", solutionVersionArn=segments)[0] == "InvalidInput"
    assert refused(p.create_batch_inference_job, solutionVersionArn=segments, **job)[0] == "InvalidInput"
    assert refused(p.create_batch_segment_job, solutionVersionArn=version, **job)[0] == "InvalidInput"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jobOutput": {"s3DataDestination": {"path": "s3://b/out"}}}, "Invalid S3 output path"),
        ({"jobOutput": {"s3DataDestination": {"path": "s3://b/in/"}}}, "Invalid S3 output path"),
        ({"jobInput": {"s3DataSource": {"path": "https://b/in"}}}, "Invalid S3 input path"),
        ({"numResults": 501}, "numResults"),
        ({"numResults": 0}, "numResults"),
        ({"batchInferenceJobMode": "THEME_GENERATION"}, "THEME_GENERATION"),
        ({"batchInferenceJobConfig": {"rankingInfluence": {"POPULARITY": 0.1}}}, "rankingInfluence"),
    ],
)
def test_a_batch_job_must_make_sense(world: World, change: dict[str, Any], message: str) -> None:
    _, version = world.make_trained()
    request = {
        "jobName": "j",
        "roleArn": ROLE,
        "solutionVersionArn": version,
        "jobInput": {"s3DataSource": {"path": "s3://b/in/"}},
        "jobOutput": {"s3DataDestination": {"path": "s3://b/out/"}},
        **change,
    }
    code, told = refused(world.personalize.create_batch_inference_job, **request)
    assert code == "InvalidInput"
    assert message in told


@pytest.mark.parametrize(
    "expression",
    [
        'EXCLUDE ItemID WHERE Items.COLOUR IN ("red")',
        "EXCLUDE ItemID WHERE",
        "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ($TYPE)",
    ],
)
def test_a_filter_that_cannot_work_is_refused_in_the_services_words(world: World, expression: str) -> None:
    """Fact: the guide's error page starts all of them like this."""
    group = world.make_group()
    world.make_dataset(group)
    code, message = refused(
        world.personalize.create_filter, name="f", datasetGroupArn=group, filterExpression=expression
    )
    assert code == "InvalidInput"
    assert message.startswith("Could not create filter. ")
