"""Keep S3's objects in memory once: list their versions without copying bodies, and let go of what was deleted.

moto copies every object of the bucket, body and all, for each page of ListObjectVersions, and remembers every instance
of every model it ever made for the sake of its dashboard: each listing of a bucket of 20 MB costs 20 MB for ever.
"""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import moto.s3.models
from moto.core.common_models import BaseModel
from moto.s3.models import FakeDeleteMarker, FakeKey

from personalize_local.aws.corrections import Correction


class ListedKey(FakeKey):
    """One version as a listing shows it: what is set on it stays its own, its body is the object's."""

    def dispose(self, garbage: bool = False) -> None:
        """Leave the body alone: it belongs to the object."""


def as_listed(versions: Iterable[FakeKey | FakeDeleteMarker]) -> list[FakeKey | FakeDeleteMarker]:
    """Return the versions of a key for a listing, which marks the latest of them."""
    return [_view(version, ListedKey if isinstance(version, FakeKey) else FakeDeleteMarker) for version in versions]


def _view(version: Any, kind: type) -> Any:
    view: Any = object.__new__(kind)
    vars(view).update(vars(version))
    return view


def new_model(kind: type, *_: Any, **__: Any) -> Any:
    """Make an instance of a model that lives as long as somebody needs it."""
    return super(BaseModel, kind).__new__(kind)  # type: ignore[misc]  # a function that becomes the method


def close_body(key: FakeKey) -> None:
    """Close the buffer of an object that is gone: overwritten and deleted ones now go before the cloud does."""
    key.dispose()


CORRECTIONS = (
    Correction(BaseModel, "__new__", staticmethod(new_model), "every instance of every model is kept for ever"),
    Correction(FakeKey, "__del__", close_body, "it warns of objects that go before the cloud does"),
    Correction(
        moto.s3.models,
        "copy",
        SimpleNamespace(copy=lambda body: body, deepcopy=as_listed),
        "every page of ListObjectVersions copies the bodies of the whole bucket",
    ),
)
