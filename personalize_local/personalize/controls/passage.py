"""Move the clock by hand: let it run, stand, jump, or pass by itself wherever somebody waits."""

from collections.abc import Mapping
from typing import Any, Final

from personalize_local.clock import CLOCK

FROZEN_SPEED: Final = 1e-6  # simulated seconds in a real one: half a minute in a year


class Passage:
    """How simulated time passes. While it `is_automatic`, each question about a status makes the next change come."""

    def __init__(self) -> None:
        self.is_automatic = False

    def advance(self, seconds: float) -> None:
        """Jump ahead, at once. What waits for a time of day, such as a schedule, waits on in real seconds."""
        if not seconds >= 0:
            raise ValueError(f"time goes forward only, not by {seconds} s")
        CLOCK.go_on_from(CLOCK.time() + seconds)

    def run(self, speed: float) -> None:
        """Let so many simulated seconds pass in a real one, from now on."""
        CLOCK.change_speed(speed)
        self.is_automatic = False

    def freeze(self) -> None:
        """Let time stand until it is advanced."""
        self.run(FROZEN_SPEED)

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Do what a request says: `advance` (seconds), `speed`, `freeze`, `automatic`; the first comes last."""
        if wanted.get("freeze"):
            self.freeze()
        if "speed" in wanted:
            self.run(float(wanted["speed"]))
        if "automatic" in wanted:
            self.is_automatic = bool(wanted["automatic"])
        if "advance" in wanted:
            self.advance(float(wanted["advance"]))

    def in_force(self) -> dict[str, Any]:
        """Return the time and how it passes, as plain values."""
        return {"now": CLOCK.time(), "speed": CLOCK.speed, "automatic": self.is_automatic}
