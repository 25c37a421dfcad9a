"""Load the settings of one stage, build the stacks, synthesise; nothing else."""

import os

from config.settings import load
from stacks.application import build, new_app

app = new_app()
stage = app.node.try_get_context("stage") or os.environ.get("PERSONALIZE_STAGE") or "dev"
build(app, load(stage), layer=app.node.try_get_context("layer"))
app.synth()
