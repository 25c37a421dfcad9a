"""Create, update and delete campaigns: one solution version on line, replaced without a gap."""

from typing import Final

from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.personalize.operations.catalogue import recipe_of
from personalize_local.personalize.operations.dataset_groups import begin_deletion
from personalize_local.personalize.operations.solutions import number, recipe_arn
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import in_use, invalid_input, not_found
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.records import Members, Record

_LATEST: Final = "/$LATEST"


def create_campaign(account: Account, request: Members) -> Members:
    """Answer CreateCampaign."""
    version, recipe = _version(account, request["solutionVersionArn"])
    arn = account.arn("campaign", request["name"])
    account.require_free("campaign", arn)
    account.require_active(version)
    config = request.get("campaignConfig", {})
    _check_sync(request["solutionVersionArn"], config)
    check_config(recipe, config)
    check_new(request.get("tags"))
    account.require_quota("campaign", version.group_arn)
    shown = {"minProvisionedTPS": 1, **request, "solutionVersionArn": version.arn}
    notes = {"solutionArn": version.members["solutionArn"], "datasetGroupArn": version.group_arn}
    account.add("campaign", arn, shown, notes=notes)
    return {"campaignArn": arn}


def _version(account: Account, arn: str) -> tuple[Record, Recipe]:
    version = _latest(account, arn) if arn.endswith(_LATEST) else account.find("solution_version", arn)
    recipe = recipe_of(account, recipe_arn(account, version))
    if recipe.is_segmentation:
        raise invalid_input(f"{recipe.name} makes user segments; it cannot be deployed in a campaign.")
    return version, recipe


def _latest(account: Account, arn: str) -> Record:
    solution_arn = arn.removesuffix(_LATEST)
    active, versions = (
        latest_active(account, solution_arn),
        list(account.all("solution_version", solutionArn=solution_arn)),
    )
    if not versions:
        raise not_found(arn)
    return active or versions[-1]


def latest_active(account: Account, solution_arn: str) -> Record | None:
    """Return the newest version of a solution that can be used."""
    solution = account.find("solution", solution_arn)
    now = account.now()
    versions = [v for v in account.all("solution_version", solutionArn=solution.arn) if v.is_active(now)]
    return versions[-1] if versions else None


def _check_sync(version_arn: str, config: Members) -> None:
    if version_arn.endswith(_LATEST) != bool(config.get("syncWithLatestSolutionVersion")):
        raise invalid_input(
            "A solution version ARN ending in $LATEST and syncWithLatestSolutionVersion must be given together."
        )


def check_config(recipe: Recipe, config: Members) -> None:
    """Raise for settings that the recipe does not have, in a campaign's or a batch job's configuration."""
    exploration, influence = config.get("itemExplorationConfig", {}), config.get("rankingInfluence")
    if exploration and not recipe.exploration_config:
        raise invalid_input(f"{recipe.name} does not support itemExplorationConfig.")
    if influence and not recipe.ranking_influence:
        raise invalid_input(f"{recipe.name} does not support rankingInfluence.")
    unknown = set(exploration) - {"explorationWeight", "explorationItemAgeCutOff"}
    if unknown:
        raise invalid_input(f"Unknown members of itemExplorationConfig: {', '.join(sorted(unknown))}.")
    weight = number(exploration.get("explorationWeight", "0.3"), "explorationWeight")
    age = number(exploration.get("explorationItemAgeCutOff", "30.0"), "explorationItemAgeCutOff")
    if not 0 <= weight <= 1:
        raise invalid_input("explorationWeight must lie between 0 and 1.")
    if not age > 0:
        raise invalid_input("explorationItemAgeCutOff must be above 0.")


def update_campaign(account: Account, request: Members) -> Members:
    """Answer UpdateCampaign; a campaign that never came up may be updated too."""
    campaign = account.find("campaign", request["campaignArn"])
    version_arn: str = request.get("solutionVersionArn") or campaign.members["solutionVersionArn"]
    version, recipe = _version(account, version_arn)
    _check_updatable(account, campaign)
    account.require_active(version)
    if version.members["solutionArn"] != campaign.notes["solutionArn"]:
        raise invalid_input(f"{version.arn} belongs to another solution than {campaign.arn}.")
    if set(request) == {"campaignArn"}:
        raise invalid_input("Nothing to update.")
    if "campaignConfig" in request or version_arn.endswith(_LATEST):
        _check_sync(_sync_form(request, version_arn, version), request.get("campaignConfig", {}))
    check_config(recipe, request.get("campaignConfig", {}))
    begin_update(account, campaign, request, version)
    return {"campaignArn": campaign.arn}


def _sync_form(request: Members, version_arn: str, version: Record) -> str:
    """Return the ARN as it counts for the `$LATEST` rule: without a version, the configuration alone decides."""
    keeps_version = "solutionVersionArn" not in request
    syncs = bool(request.get("campaignConfig", {}).get("syncWithLatestSolutionVersion"))
    return f"{version.members['solutionArn']}{_LATEST}" if keeps_version and syncs else version_arn


def _check_updatable(account: Account, campaign: Record) -> None:
    point = campaign.point(account.now())
    if campaign.is_going() or not point.over or campaign.is_updating(account.now()):
        raise in_use(f"{campaign.arn} cannot be updated now; it is changing.")


def begin_update(account: Account, campaign: Record, changes: Members, version: Record) -> None:
    """Put a version (and settings) on line; until then the present one goes on serving."""
    present = campaign.members
    shown = {
        "solutionVersionArn": version.arn,
        "minProvisionedTPS": changes.get("minProvisionedTPS", present["minProvisionedTPS"]),
        "campaignConfig": changes.get("campaignConfig", present.get("campaignConfig")),
    }
    account.begin_update(campaign, shown)


def follow_latest(account: Account, campaign: Record) -> None:
    """Deploy the newest ACTIVE version in a campaign that follows its solution, unless it is changing already."""
    if not campaign.members.get("campaignConfig", {}).get("syncWithLatestSolutionVersion"):
        return
    now = account.now()
    version = latest_active(account, campaign.notes["solutionArn"])
    is_idle = campaign.point(now).over and not campaign.is_updating(now) and not campaign.is_going()
    tried = campaign.update.changes["solutionVersionArn"] if campaign.update else None  # once: it may have failed
    if version is not None and is_idle and version.arn not in {campaign.members["solutionVersionArn"], tried}:
        begin_update(account, campaign, {}, version)


def delete_campaign(account: Account, request: Members) -> None:
    """Answer DeleteCampaign."""
    begin_deletion(account, account.find("campaign", request["campaignArn"]))
