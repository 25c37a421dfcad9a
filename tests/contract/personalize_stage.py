"""A service with one of everything: ready, still being made, and free to be deleted."""

from collections.abc import Mapping
from typing import Any

from personalize_local.personalize.controls.quotas import Quota
from tests.contract.personalize_requests import Stage, call, request_for
from tests.personalize_local.personalize.world import World, avro


def build(world: World) -> Stage:
    for noun in ("dataset_group", "solution", "campaign", "filter"):
        world.service.quotas.table[noun] = Quota(1000, "present", "region")
    stage = Stage(world)
    _build_custom(stage)
    _build_domain(stage)
    _build_doomed(stage)
    durations = world.service.durations
    durations.seconds = dict.fromkeys(durations.seconds, 3000.0)  # pending for long enough, however slow the machine
    _build_pending(stage)
    return stage


def _build_custom(stage: Stage) -> None:
    world, arns = stage.world, stage.arns
    arns["movies"] = world.make_group("movies", tags=[{"tagKey": "team", "tagValue": "films"}])
    for kind in ("INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS"):
        arns[kind] = world.make_dataset(arns["movies"], kind)
    arns["schema"] = world.describe("dataset", arns["USERS"])["schemaArn"]
    arns["interactions"] = world.describe("dataset", arns["INTERACTIONS"])["schemaArn"]
    arns["wider_schema"] = world.personalize.create_schema(
        name="wider", schema=avro("Users", [{"name": "CITY", "type": ["null", "string"]}])
    )["schemaArn"]
    arns["import"] = world.make_import(arns["INTERACTIONS"])
    arns["solution"] = world.make_solution(arns["movies"])
    arns["version"] = world.make_version(arns["solution"])
    arns["segments"] = world.make_version(world.make_solution(arns["movies"], "aws-item-affinity", name="segments"))
    arns["ranking"] = world.make_campaign(
        world.make_version(world.make_solution(arns["movies"], "aws-personalized-ranking-v2", name="ranking")),
        "ranking",
    )
    arns["actions"] = world.make_campaign(
        world.make_version(world.make_solution(arns["movies"], "aws-next-best-action", name="actions")), "actions"
    )
    arns["campaign"] = world.make_campaign(arns["version"])
    for name in ("filter", "tracker", "attribution", "export", "deletion", "batch", "segment"):
        _create(stage, name, _SIMPLE[name])
    world.finish()


def _create(stage: Stage, name: str, operation: str, **changes: Any) -> dict[str, Any]:
    answer = call(stage, operation, {**request_for(stage, operation), **changes})
    arn = next(value for key, value in answer.items() if key.endswith("Arn"))
    stage.arns[name] = arn
    if "trackingId" in answer:
        stage.arns["tracking_id"] = answer["trackingId"]
    return answer


_SIMPLE: Mapping[str, str] = {
    "filter": "CreateFilter",
    "tracker": "CreateEventTracker",
    "attribution": "CreateMetricAttribution",
    "export": "CreateDatasetExportJob",
    "deletion": "CreateDataDeletionJob",
    "batch": "CreateBatchInferenceJob",
    "segment": "CreateBatchSegmentJob",
}


def _build_domain(stage: Stage) -> None:
    world, arns = stage.world, stage.arns
    arns["shop"] = world.make_group("shop", domain="ECOMMERCE")
    schema = world.make_schema("INTERACTIONS", "shop-schema", domain="ECOMMERCE")
    world.make_dataset(arns["shop"], schema=schema)
    for name in ("recommender", "stopped_recommender", "doomed_recommender"):
        _create(stage, name, "CreateRecommender")
    world.finish()
    world.personalize.stop_recommender(recommenderArn=arns["stopped_recommender"])
    world.finish()


def _build_doomed(stage: Stage) -> None:
    world, arns = stage.world, stage.arns
    arns["spare"] = world.make_group("spare")
    arns["free"] = world.make_group("free")
    arns["doomed_group"] = world.make_group("doomed")
    arns["doomed_schema"] = world.make_schema("ITEMS", "doomed-schema")
    arns["other"] = world.make_group("other")
    arns["doomed_dataset"] = world.make_dataset(arns["other"], "USERS")
    world.make_dataset(arns["other"], "INTERACTIONS")
    arns["doomed_solution"] = world.make_solution(arns["movies"], name="doomed")
    arns["doomed_campaign"] = world.make_campaign(arns["version"], "doomed")
    tracking_id = arns["tracking_id"]
    _create(stage, "doomed_tracker", "CreateEventTracker", datasetGroupArn=arns["other"])
    arns["tracking_id"] = tracking_id
    _create(stage, "doomed_attribution", "CreateMetricAttribution", datasetGroupArn=arns["other"])
    _create(stage, "doomed_filter", "CreateFilter")
    world.service.faults.fail("solution", "no room")
    _create(stage, "failed_solution", "CreateSolution")
    world.finish()


def _build_pending(stage: Stage) -> None:
    world = stage.world
    arns = stage.arns
    _create(stage, "running_version", "CreateSolutionVersion")
    _create(stage, "pending_version", "CreateSolutionVersion")
    _create(stage, "pending_segments", "CreateSolutionVersion", solutionArn=arns["segments"].rpartition("/")[0])
    _create(stage, "pending_group", "CreateDatasetGroup")
    _create(stage, "pending_shop", "CreateDatasetGroup", domain="ECOMMERCE")
    for kind in ("ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS"):
        schema = world.describe("dataset", arns[kind])["schemaArn"]
        _create(stage, f"pending_{kind}", "CreateDataset", schemaArn=schema, datasetType=kind)
    _create(stage, "pending_solution", "CreateSolution")
    _create(stage, "pending_campaign", "CreateCampaign")
    _create(stage, "pending_recommender", "CreateRecommender")
    _create(stage, "pending_filter", "CreateFilter")
    tracking_id = arns["tracking_id"]
    _create(stage, "pending_tracker", "CreateEventTracker", datasetGroupArn=arns["spare"])
    arns["tracking_id"] = tracking_id
    _create(stage, "pending_attribution", "CreateMetricAttribution", datasetGroupArn=arns["shop"])
    assert world.status("filter", arns["pending_filter"]) == "CREATE PENDING"
