"""Create, start, stop and update recommenders: the use cases of domains, trained and put on line in one."""

from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.personalize.operations.campaigns import check_config
from personalize_local.personalize.operations.catalogue import recipe_of
from personalize_local.personalize.operations.dataset_groups import begin_deletion
from personalize_local.personalize.operations.datasets import of_group, schema_of
from personalize_local.personalize.operations.solution_versions import extra_seconds, training_task
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import ServiceError, in_use, invalid_input
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import CreationOptions, Task
from personalize_local.personalize.resources.records import Members, Record
from personalize_local.personalize.resources.status_timeline import START, STOP, JobResult


def create_recommender(account: Account, request: Members) -> Members:
    """Answer CreateRecommender."""
    group = account.find("dataset_group", request["datasetGroupArn"])
    recipe = recipe_of(account, request["recipeArn"])
    arn = account.arn("recommender", request["name"])
    account.require_free("recommender", arn)
    account.require_active(group)
    if recipe.domain is None or recipe.domain != group.members.get("domain"):
        raise invalid_input(f"{recipe.name} is not a recipe of the dataset group's domain.")
    config = _with_defaults(request.get("recommenderConfig", {}))
    check_config(recipe, config)
    _check_data(account, group, recipe)
    check_new(request.get("tags"))
    account.require_quota("recommender", group.arn)
    model = f"recommender.{request['name']}/1"
    shown = {**request, "recommenderConfig": config}
    account.add(
        "recommender",
        arn,
        shown,
        options=CreationOptions(_training(account, shown, recipe, model), extra_seconds(account, shown)),
        notes={"model": model},
    )
    return {"recommenderArn": arn}


def _with_defaults(config: Members) -> Members:
    return {"minRecommendationRequestsPerSecond": 1, "enableMetadataWithRecommendations": False, **config}


def _check_data(account: Account, group: Record, recipe: Recipe) -> None:
    present = of_group(account, group.arn)
    missing = [needed for needed in recipe.needs if needed not in present]
    if missing:
        raise ServiceError(
            account.switches.missing_training_data, f"{recipe.name} needs datasets of the types {', '.join(missing)}."
        )
    schema = schema_of(account, present["INTERACTIONS"])
    if recipe.event_type and schema.field("EVENT_TYPE") is None:
        raise invalid_input(f"{recipe.name} needs interactions with an EVENT_TYPE.")


def _training(account: Account, shown: Members, recipe: Recipe, model: str) -> Task:
    config = {"trainingDataConfig": shown["recommenderConfig"].get("trainingDataConfig")}
    settings: Members = {
        "name": shown["name"],
        "datasetGroupArn": shown["datasetGroupArn"],
        "recipeArn": shown["recipeArn"],
        "trainingMode": "FULL",
        "solutionConfig": {key: value for key, value in config.items() if value is not None},
    }
    if recipe.event_type:
        settings["eventType"] = recipe.event_type
    train = training_task(account, shown["recipeArn"], settings, model)

    def task() -> JobResult:
        trained = train() or JobResult()
        return JobResult(members={"modelMetrics": trained.notes["metrics"]}, extra_seconds=trained.extra_seconds)

    return task


def train_again(account: Account, recommender: Record) -> Task:
    """Return the training of a recommender that a crash has interrupted."""
    recipe = recipe_of(account, recommender.members["recipeArn"])
    return _training(account, recommender.members, recipe, recommender.notes["model"])


def update_recommender(account: Account, request: Members) -> Members:
    """Answer UpdateRecommender; the old configuration serves until the new one is ACTIVE."""
    recommender = account.find("recommender", request["recommenderArn"])
    _require_idle(account, recommender, "ACTIVE", "CREATE FAILED")
    config = request["recommenderConfig"]
    if not config:
        raise invalid_input("Nothing to update.")
    check_config(recipe_of(account, recommender.members["recipeArn"]), config)
    account.begin_update(recommender, {"recommenderConfig": {**recommender.members["recommenderConfig"], **config}})
    return {"recommenderArn": recommender.arn}


def _require_idle(account: Account, recommender: Record, *statuses: str) -> None:
    now = account.now()
    status = recommender.status(now)
    if status not in statuses or recommender.is_updating(now):
        raise in_use(f"{recommender.arn} must be {' or '.join(statuses)} and idle; its status is {status}.")


def stop_recommender(account: Account, request: Members) -> Members:
    """Answer StopRecommender."""
    recommender = account.find("recommender", request["recommenderArn"])
    _require_idle(account, recommender, "ACTIVE")
    account.begin_transition(recommender, STOP, "stop")
    return {"recommenderArn": recommender.arn}


def start_recommender(account: Account, request: Members) -> Members:
    """Answer StartRecommender."""
    recommender = account.find("recommender", request["recommenderArn"])
    _require_idle(account, recommender, "INACTIVE")
    account.begin_transition(recommender, START, "start")
    return {"recommenderArn": recommender.arn}


def delete_recommender(account: Account, request: Members) -> None:
    """Answer DeleteRecommender, whether it is ACTIVE or INACTIVE."""
    recommender = account.find("recommender", request["recommenderArn"])
    engine, model = account.engine, recommender.notes["model"]
    begin_deletion(account, recommender, lambda: engine.drop_model(model))
