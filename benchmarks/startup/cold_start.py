"""How long a handler takes to import, beside what every handler must import anyway.

python -m benchmarks.startup.cold_start
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from stacks.permissions import Variable

REPEATS = 5
BAR = 1.3
BASELINE = (
    "import boto3, pydantic; from aws_lambda_powertools import Logger, Metrics, Tracer; "
    "Logger(), Tracer(), Metrics(); boto3.client('personalize')"
)
ENVIRONMENT = {
    **os.environ,
    **dict.fromkeys((variable.value for variable in Variable), "1"),  # whatever a handler may be told
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "POWERTOOLS_SERVICE_NAME": "benchmark",
    "POWERTOOLS_METRICS_NAMESPACE": "Benchmark",
    "POWERTOOLS_TRACE_DISABLED": "true",
}


def main() -> None:
    """Print each handler's import as a ratio to the baseline of the same round."""
    handlers = sorted(path.stem for path in Path("lambdas").glob("[a-z]*.py"))
    ratios: dict[str, list[float]] = {handler: [] for handler in handlers}
    for _ in range(REPEATS):
        baseline = _seconds(BASELINE)
        for handler in handlers:
            ratios[handler].append(_seconds(f"import lambdas.{handler}") / baseline)
    for handler, found in ratios.items():
        print(f"{handler:20} {median(found):.2f} x boto3 with one client, powertools and pydantic (bar: {BAR})")
    worst = max(median(found) for found in ratios.values())
    print(f"{'worst':20} {worst:.2f} {'kept' if worst <= BAR else 'MISSED'}")


def _seconds(code: str) -> float:
    """Return the CPU seconds of a fresh interpreter that runs `code`."""
    command = [sys.executable, "-c", f"{code}; import resource; print(sum(resource.getrusage(0)[:2]))"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True, text=True)  # noqa: S603 - our own
    return float(done.stdout)


if __name__ == "__main__":
    main()
