"""Forget what is kept of a dataset group that was torn down: a training put off, and if told so its rows and files."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import wiring
from lambdas.groups.clearing import clear_files, clear_records

history, table, bucket = wiring.import_history(), wiring.table(), wiring.versioned_objects()


@wiring.wired
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Return ``{"done"}``: false means that time ran out, and that there is more to forget.

    `event` is ``{"datasetGroup", "records", "files"}``; without a group there is nothing to forget.
    """
    group, is_late = event["datasetGroup"], wiring.out_of_time(context)
    if not group:
        return {"done": True}
    history.forget_retrain(group)
    done = not event["records"] or clear_records(table, group, is_late)
    return {"done": done and (not event["files"] or clear_files(bucket, group, is_late))}
