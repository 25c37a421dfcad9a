"""Tell moto where the service is: one host for each of the three APIs, and the paths of those that have any."""

from personalize_local.personalize.protocol.fault_routes import answer_fault_route
from personalize_local.personalize.protocol.responses import PersonalizeResponse

url_bases = [r"https?://personalize(-runtime|-events)?\.(.+)\.amazonaws\.com"]

_DATA_PLANES = (
    "recommendations",
    "personalize-ranking",
    "action-recommendations",
    "events",
    "items",
    "users",
    "actions",
    "action-interactions",
)

DATA_PATHS = frozenset(f"/{path}" for path in _DATA_PLANES)

url_paths = {f"{{0}}/{path}$": PersonalizeResponse.dispatch for path in ("", *_DATA_PLANES)} | {
    "{0}/_local-cloud/(?P<what>.+)$": answer_fault_route,
}
