"""Tell how a run ended that nobody waits for: one notice for each, whatever ended it."""

import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas import wiring
from lambdas.notices.notice_texts import attributes, message, subject
from lambdas.notices.run_outcome import read_outcome

topic, notices, stage = wiring.notice_topic(), wiring.notice_log(), wiring.stage()


@wiring.wired
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """Return whether a notice was published; `event` is Step Functions' "Execution Status Change".

    A run that another waits for is told by the notice of that one.
    """
    outcome = read_outcome(event, stage)
    if outcome.started_by or not notices.begin(outcome, context.aws_request_id, int(time.time())):
        return {"told": False}
    topic.publish(subject(outcome, stage), message(outcome, stage), attributes(outcome, stage))
    notices.end(outcome)
    wiring.logger.info("told", extra={"execution": outcome.execution_arn, "status": outcome.status})
    wiring.count("NoticesSent")
    return {"told": True}
