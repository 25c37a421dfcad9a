"""What is in memory before workers are forked: all that the app's handlers need, so that none does it again."""

import json
import re
import subprocess
import sys
from pathlib import Path

from personalize_local.aws.lambda_.fork_server import PRELOADED, SERVICES
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction
from tests.personalize_local.aws.lambda_.test_functions import invoke

ROOT = Path(__file__).parents[4]
IMPORTS = """
import importlib, pkgutil
import boto3, lambdas.wiring
for module in pkgutil.walk_packages(lambdas.__path__, "lambdas."):
    if module.name.count(".") > 1:  # the handlers themselves read the environment
        importlib.import_module(module.name)
boto3.client("s3")
"""
READS = """
    import boto3
    import botocore.loaders

    read = []
    load_file = botocore.loaders.JSONFileLoader._load_file

    def counted(self, path, open_method):
        read.append(path)
        return load_file(self, path, open_method)

    botocore.loaders.JSONFileLoader._load_file = counted

    def handler(event, context):
        boto3.client(event["service"], region_name="us-east-1")
        return read
"""


def third_party(code: str) -> set[str]:
    """Return the public modules of installed packages that are there after a fresh interpreter ran the code."""
    files = "{name: getattr(module, '__file__', '') for name, module in sys.modules.items()}"
    told = f"{code}\nimport json, sys\nprint(json.dumps({files}))"
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "POWERTOOLS_TRACE_DISABLED": "true", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", told], check=True, stdout=subprocess.PIPE, env=variables, cwd=ROOT)
    return {
        name for name, file in json.loads(done.stdout).items() if "site-packages" in (file or "") and "._" not in name
    }


def test_no_handler_imports_a_package_that_was_not_there_before_the_fork() -> None:
    needed = third_party(IMPORTS)
    assert needed - third_party(f"import {', '.join(PRELOADED)}") == set()


def test_the_services_that_handlers_call_are_known_before_the_fork() -> None:
    source = (ROOT / "lambdas/wiring.py").read_text()
    assert sorted(set(re.findall(r'_client\(\s*"(\w+)"', source))) == sorted(SERVICES)


def test_a_worker_reads_no_description_that_was_read_before_the_fork(aws: Cloud, function: MakeFunction) -> None:
    name = function(READS)
    assert [invoke(aws, name, service=service)["Payload"] for service in SERVICES] == [[]] * len(SERVICES)
    assert invoke(aws, name, service="codebuild")["Payload"] != []
