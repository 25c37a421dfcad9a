"""A valid request for every operation of Personalize, over a service that has one of everything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.personalize_local.personalize.world import PREFIX, RECIPES, ROLE, World, avro

Request = dict[str, Any]
_NUMBERS = count(1)
_METRIC = {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"}


def fresh(stem: str) -> str:
    return f"{stem}-{next(_NUMBERS)}"


@dataclass
class Stage:
    """ARNs by role: `movies`, `shop` … are ready; `pending_…` are still being made; `doomed_…` may be deleted."""

    world: World
    arns: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.arns[name]


def call(stage: Stage, operation: str, request: Request) -> dict[str, Any]:
    client = client_of(stage.world, operation)
    method = next(name for name, target in client.meta.method_to_api_mapping.items() if target == operation)
    answer: dict[str, Any] = getattr(client, method)(**request)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def client_of(world: World, operation: str) -> Any:
    clients = (world.personalize, world.runtime, world.events)
    return next(each for each in clients if operation in each.meta.service_model.operation_names)


def _jobs_at(stage: Stage, folder: str) -> Request:
    bucket = stage.world.bucket
    source = stage.world.put_object(f"{folder}/in/lines.json", '{"userId":"u1"}')
    return {
        "jobName": fresh("job"),
        "roleArn": ROLE,
        "jobInput": {"s3DataSource": {"path": source}},
        "jobOutput": {"s3DataDestination": {"path": f"s3://{bucket}/{folder}/out/"}},
    }


def request_for(stage: Stage, operation: str) -> Request:
    """Return a request that is valid now."""
    if operation.startswith(("Create", "Put")):
        return _creations(stage, operation)
    return _requests(stage)[operation]


def _creations(stage: Stage, operation: str) -> Request:  # noqa: C901, PLR0911, PLR0912 - one case per operation
    arns = stage.arns
    tags: Request = {"tags": [{"tagKey": "team", "tagValue": "films"}]}
    named = {"name": fresh("name"), **tags}
    movies = {"datasetGroupArn": arns.get("movies", "")}
    match operation:
        case "CreateDatasetGroup":
            return named
        case "CreateSchema":
            return {"name": fresh("schema"), "schema": avro("Items")}
        case "CreateDataset":
            return {
                **named,
                "datasetGroupArn": arns["spare"],
                "schemaArn": arns["interactions"],
                "datasetType": "Interactions",
            }
        case "CreateDatasetImportJob" | "CreateDataDeletionJob":
            location = stage.world.put_object("users.csv", "USER_ID\nu1\n")
            job = {"jobName": fresh("job"), "dataSource": {"dataLocation": location}, "roleArn": ROLE, **tags}
            return job | (movies if operation == "CreateDataDeletionJob" else {"datasetArn": arns["INTERACTIONS"]})
        case "CreateDatasetExportJob":
            job = _jobs_at(stage, "export") | tags | {"datasetArn": arns["INTERACTIONS"]}
            return {key: value for key, value in job.items() if key != "jobInput"}
        case "CreateEventTracker":
            return {**named, **movies} if "tracker" not in arns else {**named, "datasetGroupArn": arns["free"]}
        case "CreateFilter":
            return {**named, **movies, "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")'}
        case "CreateMetricAttribution":
            group = movies if "attribution" not in arns else {"datasetGroupArn": arns["free"]}
            return {"name": fresh("name"), **group, "metrics": [_METRIC], "metricsOutputConfig": {"roleArn": ROLE}}
        case "CreateRecommender":
            recipe = f"{RECIPES}aws-ecomm-popular-items-by-views"
            return {**named, "datasetGroupArn": arns["shop"], "recipeArn": recipe}
        case "CreateSolution":
            return {**named, **movies, "recipeArn": f"{RECIPES}aws-user-personalization", "performAutoTraining": False}
        case "CreateSolutionVersion":
            return {"name": fresh("version"), "solutionArn": arns["solution"], **tags}
        case "CreateCampaign":
            return {**named, "solutionVersionArn": arns["version"]}
        case "CreateBatchInferenceJob":
            return _jobs_at(stage, "batch") | tags | {"solutionVersionArn": arns["version"]}
        case "CreateBatchSegmentJob":
            return _jobs_at(stage, "segment") | tags | {"solutionVersionArn": arns["segments"]}
    return _streams(stage, operation)


def _streams(stage: Stage, operation: str) -> Request:
    arns = stage.arns
    event = {"eventType": "view", "sentAt": 1_700_000_000, "itemId": "i1", "properties": '{"eventValue": 1.5}'}
    action = {"actionId": "a1", "sessionId": "s1", "timestamp": 1_700_000_000, "eventType": "Taken"}
    item = '{"price": 1.5, "categoryL1": "x", "creationTimestamp": 1700000000}'
    streams: dict[str, Request] = {
        "PutEvents": {"trackingId": arns["tracking_id"], "userId": "u1", "sessionId": "s1", "eventList": [event]},
        "PutItems": {"datasetArn": arns["ITEMS"], "items": [{"itemId": "i1", "properties": item}]},
        "PutUsers": {"datasetArn": arns["USERS"], "users": [{"userId": "u1", "properties": '{"age": 7}'}]},
        "PutActions": {"datasetArn": arns["ACTIONS"], "actions": [{"actionId": "a1", "properties": '{"value": 1}'}]},
        "PutActionInteractions": {
            "trackingId": stage.world.describe("dataset", arns["ACTION_INTERACTIONS"])["trackingId"],
            "actionInteractions": [action],
        },
    }
    return streams[operation]


def _requests(stage: Stage) -> dict[str, Request]:
    arns = stage.arns
    recipes = "arn:aws:personalize:::"
    described = {
        "Algorithm": {"algorithmArn": f"{recipes}algorithm/aws-user-personalization"},
        "BatchInferenceJob": {"batchInferenceJobArn": arns["batch"]},
        "BatchSegmentJob": {"batchSegmentJobArn": arns["segment"]},
        "Campaign": {"campaignArn": arns["campaign"]},
        "DataDeletionJob": {"dataDeletionJobArn": arns["deletion"]},
        "Dataset": {"datasetArn": arns["USERS"]},
        "DatasetExportJob": {"datasetExportJobArn": arns["export"]},
        "DatasetGroup": {"datasetGroupArn": arns["movies"]},
        "DatasetImportJob": {"datasetImportJobArn": arns["import"]},
        "EventTracker": {"eventTrackerArn": arns["tracker"]},
        "FeatureTransformation": {"featureTransformationArn": f"{recipes}feature-transformation/sims"},
        "Filter": {"filterArn": arns["filter"]},
        "MetricAttribution": {"metricAttributionArn": arns["attribution"]},
        "Recipe": {"recipeArn": f"{recipes}recipe/aws-sims"},
        "Recommender": {"recommenderArn": arns["recommender"]},
        "Schema": {"schemaArn": arns["schema"]},
        "Solution": {"solutionArn": arns["solution"]},
        "SolutionVersion": {"solutionVersionArn": arns["version"]},
    }
    return {
        **{f"Describe{name}": request for name, request in described.items()},
        **_lists(arns),
        **_changes(arns),
        "GetSolutionMetrics": {"solutionVersionArn": arns["version"]},
        "GetRecommendations": {"campaignArn": arns["campaign"], "userId": "u1", "numResults": 3},
        "GetPersonalizedRanking": {"campaignArn": arns["ranking"], "userId": "u1", "inputList": ["i1", "i2"]},
        "GetActionRecommendations": {"campaignArn": arns["actions"], "userId": "u1"},
        "ListTagsForResource": {"resourceArn": arns["movies"]},
        "TagResource": {"resourceArn": arns["movies"], "tags": [{"tagKey": "a", "tagValue": "b"}]},
        "UntagResource": {"resourceArn": arns["movies"], "tagKeys": ["a"]},
    }


def _lists(arns: Mapping[str, str]) -> dict[str, Request]:
    movies = {"datasetGroupArn": arns["movies"]}
    return {
        "ListBatchInferenceJobs": {"solutionVersionArn": arns["version"]},
        "ListBatchSegmentJobs": {"solutionVersionArn": arns["segments"]},
        "ListCampaigns": {"solutionArn": arns["solution"]},
        "ListDataDeletionJobs": movies,
        "ListDatasetExportJobs": {"datasetArn": arns["INTERACTIONS"]},
        "ListDatasetGroups": {},
        "ListDatasetImportJobs": {"datasetArn": arns["INTERACTIONS"]},
        "ListDatasets": movies,
        "ListEventTrackers": movies,
        "ListFilters": movies,
        "ListMetricAttributionMetrics": {"metricAttributionArn": arns["attribution"]},
        "ListMetricAttributions": movies,
        "ListRecipes": {"recipeProvider": "SERVICE"},
        "ListRecommenders": {"datasetGroupArn": arns["shop"]},
        "ListSchemas": {},
        "ListSolutionVersions": {"solutionArn": arns["solution"]},
        "ListSolutions": movies,
    }


def _changes(arns: Mapping[str, str]) -> dict[str, Request]:
    return {
        "UpdateCampaign": {"campaignArn": arns["campaign"], "minProvisionedTPS": 2},
        "UpdateDataset": {"datasetArn": arns["USERS"], "schemaArn": arns["wider_schema"]},
        "UpdateMetricAttribution": {
            "metricAttributionArn": arns["attribution"],
            "addMetrics": [{**_METRIC, "metricName": fresh("metric")}],
        },
        "UpdateRecommender": {
            "recommenderArn": arns["recommender"],
            "recommenderConfig": {"minRecommendationRequestsPerSecond": 2},
        },
        "UpdateSolution": {"solutionArn": arns["solution"], "performAutoTraining": True},
        "StartRecommender": {"recommenderArn": arns["stopped_recommender"]},
        "StopRecommender": {"recommenderArn": arns["recommender"]},
        "StopSolutionVersionCreation": {"solutionVersionArn": arns["running_version"]},
        "DeleteCampaign": {"campaignArn": arns["doomed_campaign"]},
        "DeleteDataset": {"datasetArn": arns["doomed_dataset"]},
        "DeleteDatasetGroup": {"datasetGroupArn": arns["doomed_group"]},
        "DeleteEventTracker": {"eventTrackerArn": arns["doomed_tracker"]},
        "DeleteFilter": {"filterArn": arns["doomed_filter"]},
        "DeleteMetricAttribution": {"metricAttributionArn": arns["doomed_attribution"]},
        "DeleteRecommender": {"recommenderArn": arns["doomed_recommender"]},
        "DeleteSchema": {"schemaArn": arns["doomed_schema"]},
        "DeleteSolution": {"solutionArn": arns["doomed_solution"]},
    }


def unknown(arn: str) -> str:
    """Return an ARN of the same kind that names nothing."""
    head, _, tail = arn.rpartition("/")
    return f"{head}/{tail}-that-is-not" if arn.startswith(PREFIX) else f"{arn}-that-is-not"
