"""Write down which version each campaign serves from now on, and say what was done."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas import wiring
from lambdas.releases.releases import Releases
from lambdas.releases.run_summary import brief

releases_of = wiring.releases()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return a summary in one line.

    `event` is ``{"datasetGroup", "solution", "campaigns", "note", "now"}``: the campaigns that are as asked, as the
    service describes them.
    """
    releases = releases_of(event["datasetGroup"])
    campaigns = [campaign["resource"] for campaign in event["campaigns"]]
    for campaign in campaigns:
        releases.note_serving(campaign["name"], campaign["solutionVersionArn"], event["now"])
    summary = brief("; ".join(filter(None, [event["note"], *_serving(campaigns, releases)])))
    wiring.logger.info("serving", extra={"solution": event["solution"], "summary": summary})
    wiring.count("CampaignsServing", len(campaigns))
    return {"summary": summary or f"{event['solution']} has no campaign"}


def _serving(campaigns: Sequence[Mapping[str, Any]], releases: Releases) -> list[str]:
    return [f"{one['name']} serves {releases.of(one['solutionVersionArn']).name}" for one in campaigns]
