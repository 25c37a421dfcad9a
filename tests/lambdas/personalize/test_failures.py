"""The innermost failure, dug out of what Step Functions hands a Catch (shapes as the service documents them)."""

import json

from lambdas.personalize.failures import ErrorAndCause, explain, innermost


def lambda_error(kind: str, message: str) -> dict[str, str]:
    return {"Error": kind, "Cause": json.dumps({"errorType": kind, "errorMessage": message, "stackTrace": []})}


def child_failed(error: str, cause: str) -> dict[str, str]:
    child = {"ExecutionArn": "arn:aws:states:::execution:x:y", "Status": "FAILED", "Error": error, "Cause": cause}
    return {"Error": "States.TaskFailed", "Cause": json.dumps(child)}


def test_a_lambdas_own_error_and_message() -> None:
    assert innermost(lambda_error("InvalidInputException", "bad")) == ErrorAndCause("InvalidInputException", "bad")


def test_a_failed_grandchild() -> None:
    inner = child_failed("ResourceFailed", "not enough interactions")
    outer = child_failed("States.TaskFailed", inner["Cause"])
    assert innermost(outer) == ErrorAndCause("ResourceFailed", "not enough interactions")


def test_a_child_that_was_stopped_is_named() -> None:
    cause = json.dumps({"ExecutionArn": "arn:aws:states:::execution:x:y", "Status": "ABORTED"})
    failure = innermost({"Error": "States.TaskFailed", "Cause": cause})
    assert failure.cause == "arn:aws:states:::execution:x:y ended as ABORTED"


def test_words_that_are_no_json_stay_as_they_are() -> None:
    assert innermost({"Error": "States.Timeout", "Cause": ""}) == ErrorAndCause("States.Timeout", "States.Timeout")
    assert innermost({"Error": "Oops", "Cause": "[1, 2"}) == ErrorAndCause("Oops", "[1, 2")


def test_several_noted_failures_are_all_named() -> None:
    def noted(what: str) -> dict[str, object]:
        return {"what": what, **child_failed("ResourceFailed", f"{what} broke")}

    failures = [noted("dataset items"), noted("dataset users")]
    state = {"datasets": {"results": [{"name": "interactions"}], "failures": failures}}
    failure = explain(state)
    assert failure.error == "ResourceFailed"
    assert "2 failed" in failure.cause
    assert "dataset items: dataset items broke" in failure.cause
    assert "dataset users: dataset users broke" in failure.cause


def test_what_was_caught_comes_before_what_was_noted() -> None:
    state = {"failure": lambda_error("KeyError", "'x'"), "old": {"failures": [lambda_error("Other", "y")]}}
    assert explain(state) == ErrorAndCause("KeyError", "'x'")
