"""Write down which version each campaign serves from now on, and say what was done."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas import wiring
from lambdas.names import shown
from lambdas.releases.releases import Releases

releases_of = wiring.releases()

_LONGEST_SUMMARY = 480


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
    summary = shown("; ".join(filter(None, [event["note"], *_serving(campaigns, releases)])), _LONGEST_SUMMARY)
    wiring.logger.info("serving", extra={"solution": event["solution"], "summary": summary})
    wiring.count("CampaignsServing", len(campaigns))
    return {"summary": summary or f"{event['solution']} has no campaign"}


def _serving(campaigns: Sequence[Mapping[str, Any]], releases: Releases) -> list[str]:
    return [f"{one['name']} serves {releases.of(one['solutionVersionArn']).name}" for one in campaigns]
