"""Every member of the installed botocore models has been looked at: a new one fails here until it is handled.

After handling it: `python -m tests.contract.test_personalize_members` writes the list anew.
"""

import json
from pathlib import Path

from botocore.model import StructureShape

from personalize_local.personalize.protocol.wire import SERVICES, service_model

KNOWN = Path(__file__).with_name("personalize_members.json")


def _members() -> dict[str, list[str]]:
    """Return the members (or the allowed values) of every shape of the three services."""
    found = {}
    for service in SERVICES:
        model = service_model(service)
        for name in model.shape_names:
            shape = model.shape_for(name)
            if isinstance(shape, StructureShape):
                found[f"{service}.{name}"] = sorted(shape.members)
            elif shape.metadata.get("enum"):
                found[f"{service}.{name}"] = sorted(shape.metadata["enum"])
    return found


def test_no_member_is_new_or_gone() -> None:
    known, present = json.loads(KNOWN.read_text(encoding="utf-8")), _members()
    new = {name: sorted(set(parts) - set(known.get(name, ()))) for name, parts in present.items()}
    gone = {name: sorted(set(parts) - set(present.get(name, ()))) for name, parts in known.items()}
    assert {name: parts for name, parts in new.items() if parts} == {}
    assert {name: parts for name, parts in gone.items() if parts} == {}


if __name__ == "__main__":
    KNOWN.write_text(json.dumps(_members(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
