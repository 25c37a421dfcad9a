"""Count the files of ours that a warm GetRecommendations enters, in process.

A call is warm once the model is loaded and every table was made. Each file below `personalize_local/` counts in which a
function begins to run, in the thread of the call.

    python -m tests.personalize_local.personalize.call_depth [--list]
"""

import argparse
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any, Final

import personalize_local
from benchmarks.instruments.bars import Bar, report
from tests.personalize_local.personalize.planted import make_planted_group, running_for_real

FILES_AT_MOST: Final = 17
_OURS: Final = Path(personalize_local.__file__).parent


def main() -> int:
    """Print what was counted and return how many bars were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the files")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        entered = files_of_a_warm_call(Path(directory))
    if given.list:
        sys.stdout.writelines(f"{each.relative_to(_OURS)}\n" for each in sorted(entered))
    sys.stdout.write(f"files_entered: {len(entered)}\n")
    return report("a warm GetRecommendations", [Bar("files entered", len(entered), FILES_AT_MOST, at_most=True)])


def files_of_a_warm_call(directory: Path) -> set[Path]:
    """Return the files of ours that equal calls enter, once warm.

    What only one of them enters is not the call's: the finalizer of something that another test left behind.
    """
    with running_for_real(directory) as world:
        group = make_planted_group(world)
        campaign = world.make_campaign(world.make_version(world.make_solution(group)))

        def call() -> None:
            world.runtime.get_recommendations(campaignArn=campaign, userId="u1", numResults=10)

        call()
        call()
        return entered_by(call) & entered_by(call)


def entered_by(call: Any) -> set[Path]:
    """Return the files of ours in which a function begins to run while `call` does, in its thread."""
    names: set[str] = set()

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            names.add(frame.f_code.co_filename)

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return {Path(name) for name in names if Path(name).is_relative_to(_OURS)}


if __name__ == "__main__":
    sys.exit(main())
