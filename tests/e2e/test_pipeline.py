"""The whole path on the local cloud: files in the bucket, recommendations out. Real handlers, machines and training."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from examples import movies
from personalize_local.cloud import Cloud, Run

REQUEST = json.loads(Path(movies.__file__).with_name("movies.json").read_bytes())
LATER = "later/uploads/movies/interactions/week-2.csv"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    written = movies.write(tmp_path_factory.mktemp("movies"))
    return {key: path.read_bytes() for key, path in written.items()}


@pytest.fixture(autouse=True)
def no_faults(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.personalize.faults.clear()


def put(cloud: Cloud, key: str, body: bytes) -> None:
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body)


def executions(cloud: Cloud, machine: str) -> list[dict[str, Any]]:
    states = cloud.client("stepfunctions")
    found = states.list_executions(stateMachineArn=cloud.deployment.state_machines[machine])["executions"]
    return [states.describe_execution(executionArn=execution["executionArn"]) for execution in found]


def entered(cloud: Cloud, arn: str) -> list[str]:
    events = cloud.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


@pytest.fixture(scope="module")
def built(cloud: Cloud, files: Mapping[str, bytes]) -> Any:
    """Upload the example, let the events start everything, and return the pipeline's output."""
    for key, body in files.items():
        if key != LATER:
            put(cloud, key, body)
    put(cloud, "requests/movies.json", json.dumps(REQUEST).encode())
    cloud.quiesce(120)
    (pipeline,) = executions(cloud, "pipeline")
    assert pipeline["status"] == "SUCCEEDED", (pipeline.get("error"), pipeline.get("cause"))
    return json.loads(pipeline["output"])


def test_every_row_of_every_file_is_imported(built: Any) -> None:
    rows = {dataset["name"]: dataset["uploads"]["rows"] for dataset in built["data"]["datasets"]}
    assert rows == {"interactions": movies.INTERACTIONS, "items": movies.ITEMS, "users": movies.USERS}
    assert built["data"]["warnings"] == []


def test_the_first_import_of_each_dataset_is_full(cloud: Cloud, built: Any) -> None:
    jobs = cloud.client("personalize").list_dataset_import_jobs()["datasetImportJobs"]
    assert built
    assert {job["importMode"] for job in jobs if "week-2" not in job["jobName"]} >= {"FULL"}


def test_the_trained_version_is_measured_judged_and_deployed(cloud: Cloud, built: Any) -> None:
    (solution,) = built["solutions"]
    assert solution["trained"]["decision"] == "DEPLOY"
    assert solution["trained"]["metrics"]["normalized_discounted_cumulative_gain_at_10"] > 0.05
    campaign = cloud.client("personalize").describe_campaign(campaignArn=solution["deployed"]["campaigns"][0]["arn"])
    assert campaign["campaign"]["solutionVersionArn"] == solution["trained"]["solutionVersionArn"]


def test_recommendations_follow_the_planted_taste(cloud: Cloud, built: Any) -> None:
    """Each member loves one genre of eight: among recommended films its share is far above that."""
    campaign = built["solutions"][0]["deployed"]["campaigns"][0]["arn"]
    genre = {film.id: film.genre for film in movies.films()}
    runtime, hits, shown = cloud.client("personalize-runtime"), 0, 0
    for member, (loved, _) in list(movies.favourite_genres().items())[:60]:
        items = runtime.get_recommendations(campaignArn=campaign, userId=member, numResults=5)["itemList"]
        hits += sum(genre[item["itemId"]] == loved for item in items)
        shown += len(items)
    assert shown == 300
    assert hits / shown > 3 / len(movies.GENRES)


def test_the_batch_job_answers_every_line_in_the_documented_form(cloud: Cloud, built: Any) -> None:
    (job,) = built["solutions"][0]["batch"]["jobs"]
    path = job["resource"]["jobOutput"]["s3DataDestination"]["path"]
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    body = cloud.client("s3").get_object(Bucket=bucket, Key=f"{prefix}members.json.out")["Body"].read()
    lines = [json.loads(line) for line in body.splitlines()]
    assert {line["input"]["userId"] for line in lines} == set(movies.favourite_genres())
    assert all(line["error"] is None for line in lines)
    assert all(len(line["output"]["recommendedItems"]) <= 10 for line in lines)


def test_the_filter_of_the_batch_job_leaves_out_what_was_watched(cloud: Cloud, built: Any) -> None:
    (job,) = built["solutions"][0]["batch"]["jobs"]
    bucket, _, prefix = job["resource"]["jobOutput"]["s3DataDestination"]["path"].removeprefix("s3://").partition("/")
    body = cloud.client("s3").get_object(Bucket=bucket, Key=f"{prefix}members.json.out")["Body"].read()
    seen = {(viewing.user_id, viewing.item_id) for viewing in movies.viewings()}
    answers = [json.loads(line) for line in body.splitlines()]
    assert not any((a["input"]["userId"], item) in seen for a in answers for item in a["output"]["recommendedItems"])


def test_the_same_request_again_trains_nothing(cloud: Cloud, built: Any) -> None:
    def inventory() -> dict[str, int]:
        personalize = cloud.client("personalize")
        names = "schemas dataset_groups datasets dataset_import_jobs filters event_trackers solutions campaigns"
        operations = [*names.split(), "solution_versions", "batch_inference_jobs"]
        answers = {name: getattr(personalize, f"list_{name}")() for name in operations}
        return {
            name: len(next(value for value in answer.values() if isinstance(value, list)))
            for name, answer in answers.items()
        }

    before = inventory()
    run = cloud.run("pipeline", {"datasetGroup": "movies"}, timeout_seconds=120)
    assert run.status == "SUCCEEDED", run.cause
    after = inventory()
    created = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    assert created == {"batch_inference_jobs": 1}  # the job's name belongs to the run
    trained = run.output["solutions"][0]["trained"]
    assert trained["training"]["action"] == "REUSE"
    assert trained["solutionVersionArn"] == built["solutions"][0]["trained"]["solutionVersionArn"]


def test_a_second_upload_is_appended_and_announced_twice_is_imported_once(
    cloud: Cloud, built: Any, files: Mapping[str, bytes]
) -> None:
    assert built
    arn = cloud.client("personalize").list_datasets()["datasets"]
    interactions = next(dataset["datasetArn"] for dataset in arn if dataset["datasetType"] == "INTERACTIONS")
    put(cloud, LATER.removeprefix("later/"), files[LATER])
    cloud.quiesce(120)
    jobs = cloud.client("personalize").list_dataset_import_jobs(datasetArn=interactions)["datasetImportJobs"]
    assert sorted(job["importMode"] for job in jobs) == ["FULL", "INCREMENTAL"]


def test_a_second_pipeline_of_the_group_leaves_it_to_the_first(cloud: Cloud, built: Any) -> None:
    assert built
    first = cloud.start("pipeline", {"datasetGroup": "movies"})
    while "Import data" not in entered(cloud, first):
        pass
    second = cloud.run("pipeline", {"datasetGroup": "movies"})
    assert second.status == "SUCCEEDED"
    assert second.output["holder"] == first
    assert "another run" in second.output["data"]["note"].lower()
    assert cloud.wait(first, 120).status == "SUCCEEDED"


def test_no_invocation_of_a_healthy_run_ended_in_an_error(cloud: Cloud, built: Any) -> None:
    assert built
    assert cloud.lambda_errors == []


def test_a_training_that_fails_ends_the_pipeline_red_with_its_reason(cloud: Cloud, built: Any) -> None:
    assert built
    cloud.personalize.faults.fail("solution_version", "The training ran out of popcorn.")
    run = cloud.run("pipeline", {"datasetGroup": "movies", "train": "ALWAYS"}, timeout_seconds=120)
    assert (run.status, run.error) == ("FAILED", "ResourceFailed")
    assert run.cause == "The training ran out of popcorn."


def test_a_campaign_update_that_fails_says_so_after_the_batch_job_ran(cloud: Cloud, built: Any) -> None:
    assert built
    cloud.personalize.faults.fail("campaign", "The stage collapsed.")
    run = cloud.run("pipeline", {"datasetGroup": "movies", "train": "ALWAYS"}, timeout_seconds=120)
    assert (run.status, run.error) == ("FAILED", "ResourceFailed")
    assert "campaign dev-movies-for-you" in (run.cause or "")
    assert "The stage collapsed." in (run.cause or "")
    assert "Run batch inference" in run.states


def test_a_file_that_lacks_a_column_ends_red_naming_file_column_and_line(cloud: Cloud, built: Any) -> None:
    assert built
    put(cloud, "uploads/movies/items/oops.csv", b"ITEM_ID,TITLE,CREATION_TIMESTAMP\nfilm-1,The Oops,1700000000\n")
    cloud.quiesce(60)
    failed = [run for run in executions(cloud, "import_uploads") if run["status"] == "FAILED"]
    assert [run["error"] for run in failed] == ["UploadRejected"]
    assert all(word in failed[0]["cause"] for word in ("uploads/movies/items/oops.csv", "GENRES", "line 1"))


def test_a_wrong_request_creates_nothing(cloud: Cloud) -> None:
    wrong = json.loads(json.dumps(REQUEST).replace("movies", "books"))
    wrong["solutions"][0]["recipeArn"] = "aws-user-personalisation"
    run: Run = cloud.run("pipeline", wrong)
    assert (run.status, run.error) == ("FAILED", "InvalidRequestError")
    assert "$.solutions[0].recipeArn" in (run.cause or "")
    assert "aws-user-personalization-v2" in (run.cause or "")
    groups = cloud.client("personalize").list_dataset_groups()["datasetGroups"]
    assert "books" not in {group["name"] for group in groups}


def test_an_upload_for_a_group_that_does_not_exist_yet_waits_and_says_so(cloud: Cloud) -> None:
    put(cloud, "uploads/books/items/catalogue.csv", b"ITEM_ID,TITLE\nb1,The Book\n")
    cloud.quiesce(60)
    outputs = [json.loads(run["output"]) for run in executions(cloud, "import_uploads") if '"books"' in run["input"]]
    assert [output["outcome"] for output in outputs] == ["WAITING"]
    assert "books" in outputs[0]["message"]
