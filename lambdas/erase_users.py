"""Erase users from the files of a dataset group, a slice at a time, and at last the lists that name them."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import wiring
from lambdas.groups.user_erasure import ErasureProgress, UserErasure
from lambdas.groups.user_list import listed_users

objects, bucket, ledger, leases = wiring.objects(), wiring.versioned_objects(), wiring.ledger(), wiring.leases()
history = wiring.import_history()


class ListLostError(Exception):
    """The list of users is gone before they were forgotten."""


@wiring.wired
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return ``{"done", "progress"}``; ``event`` is ``{"plan", "time"}`` with the plan of `plan_forgetting`."""
    plan, time = event["plan"], event["time"]
    group, progress = plan["datasetGroup"], ErasureProgress(**plan["progress"])
    body = objects.open(plan["list"])
    if body is None:
        raise ListLostError(f"{plan['list']} is gone: upload the list again, and start again")
    users = listed_users(body.chunks)
    erasure = UserErasure(bucket, objects, ledger, users, lambda key: leases.read(key).epoch, time)
    done, progress = erasure.erase(group, progress, wiring.out_of_time(context))
    if done:
        # What was trained before is out of date; the next run trains.
        history.note_deletion(group, "interactions", time)
        bucket.erase_below(plan["list"])
        bucket.erase_below(plan["users"])
    wiring.logger.info("erased", extra={"dataset_group": group, "progress": asdict(progress)})
    return {"done": done, "progress": asdict(progress)}
