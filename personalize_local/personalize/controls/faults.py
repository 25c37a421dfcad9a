"""Inject faults: jobs that fail or take long, calls that are throttled, quotas that are full, S3 that is closed."""

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from personalize_local.personalize.resources.resource_types import TYPES


@dataclass
class InjectedFailure:
    """The next resources of a type (or the one of that name) end CREATE FAILED with this reason."""

    resource_type: str
    reason: str
    name: str | None = None
    times: int = 1


@dataclass
class InjectedSlowness:
    """Resources of a type (or the one of that name) take `factor` times as long."""

    resource_type: str
    factor: float
    name: str | None = None


class Faults:
    """The faults in force; safe to change while the service runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """End all trouble."""
        with self._lock:
            self._failures: list[InjectedFailure] = []
            self._slow: list[InjectedSlowness] = []
            self._full: set[str] = set()
            self._denied: list[str] = []
            self.throttled: dict[str, float] = {}  # shares of calls, by the service's name in signatures
            self._random = random.Random(0)

    def fail(self, resource_type: str, reason: str, *, name: str | None = None, times: int = 1) -> None:
        """Let the next `times` creations (or updates) of a type, or of one named resource, fail with `reason`."""
        with self._lock:
            self._failures.append(InjectedFailure(_known(resource_type), reason, name, times))

    def slow(self, resource_type: str, factor: float, *, name: str | None = None) -> None:
        """Let a type, or one named resource, take `factor` times as long from now on."""
        with self._lock:
            self._slow.append(InjectedSlowness(_known(resource_type), factor, name))

    def throttle(self, share: float, services: Iterable[str] = ("personalize",)) -> None:
        """Refuse this share (0-1) of all calls of services, named as in signatures: `personalize`, `s3`, `states`.

        Calls of other services than Personalize must come over HTTP to be refused.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"a share lies between 0 and 1, not {share}")
        with self._lock:
            changed = {**self.throttled, **dict.fromkeys(services, share)}
            self.throttled = {name: each for name, each in changed.items() if each}

    def fill_quota(self, resource_type: str) -> None:
        """Pretend that the quota of a type is used up."""
        with self._lock:
            self._full.add(_known(resource_type))

    def deny_s3(self, prefix: str = "s3://") -> None:
        """Refuse the service every object below `prefix`, as a missing bucket policy does."""
        with self._lock:
            self._denied.append(prefix)

    def in_force(self) -> dict[str, Any]:
        """Return the present faults as plain values."""
        with self._lock:
            return {
                "failures": [asdict(each) for each in self._failures],
                "slow": [asdict(each) for each in self._slow],
                "throttledShares": dict(self.throttled),
                "fullQuotas": sorted(self._full),
                "deniedS3": list(self._denied),
            }

    def take_failure(self, resource_type: str, name: str) -> str | None:
        """Return the reason this resource has to fail for, using it up."""
        with self._lock:
            for failure in self._failures:
                if failure.resource_type == resource_type and failure.name in {None, name}:
                    failure.times -= 1
                    if failure.times <= 0:
                        self._failures.remove(failure)
                    return failure.reason
        return None

    def slowness(self, resource_type: str, name: str) -> float:
        """Return how many times longer than usual this resource takes."""
        with self._lock:
            factors = [s.factor for s in self._slow if s.resource_type == resource_type and s.name in {None, name}]
        return factors[-1] if factors else 1.0

    def restore(self, in_force: Mapping[str, Any]) -> None:
        """Put back what `in_force` told; what came since goes."""
        with self._lock:
            self._failures = [InjectedFailure(**each) for each in in_force["failures"]]
            self._slow = [InjectedSlowness(**each) for each in in_force["slow"]]
            self.throttled = dict(in_force["throttledShares"])
            self._full, self._denied = set(in_force["fullQuotas"]), list(in_force["deniedS3"])

    def is_unlucky(self, service: str) -> bool:
        """Tell whether this call of a service is one that comes too fast."""
        share = self.throttled.get(service, 0.0)
        if not share:
            return False
        with self._lock:
            return self._random.random() < share

    def is_quota_full(self, resource_type: str) -> bool:
        """Tell whether the type's quota pretends to be used up."""
        with self._lock:
            return resource_type in self._full

    def is_s3_denied(self, location: str) -> bool:
        """Tell whether the service may not touch the location."""
        with self._lock:
            return any(location.startswith(prefix) for prefix in self._denied)


def _known(resource_type: str) -> str:
    if resource_type not in TYPES:
        raise ValueError(f"no resource type {resource_type!r}; there are {', '.join(TYPES)}")
    return resource_type
