"""The demo's data: a film club whose members have planted tastes. Small, deterministic, and good to test against.

Each of 600 members loves one genre and likes another; 300 films have titles and genres. Members watch in evenings:
a few films after each other, mostly from their genres, popular ones more often. `favourite_genres` tells what was
planted, so that "recommendations follow taste" can be measured.
"""

import argparse
import csv
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Final

USERS: Final = 600
ITEMS: Final = 300
INTERACTIONS: Final = 20_000
LATER_INTERACTIONS: Final = 1_500  # an incremental import needs at least 1,000

_WORDS: Final = {
    "Comedy": (("Awkward", "Merry", "Clumsy", "Borrowed"), ("Wedding", "Landlord", "Dentist", "Holiday")),
    "Crime": (("Quiet", "Crooked", "Cold", "Missing"), ("Alibi", "Verdict", "Harbour", "Witness")),
    "Documentary": (("Inside", "Living", "Measured", "Forgotten"), ("Rivers", "Machines", "Kitchens", "Archives")),
    "Drama": (("Distant", "Unsaid", "Brittle", "Second"), ("Daughters", "Winter", "Letters", "House")),
    "Family": (("Brave", "Tiny", "Singing", "Lost"), ("Badger", "Lantern", "Island", "Kite")),
    "Horror": (("Hollow", "Pale", "Locked", "Whispering"), ("Cellar", "Orchard", "Mirror", "Choir")),
    "Romance": (("Last", "Secret", "Paper", "Summer"), ("Dance", "Train", "Promise", "Balcony")),
    "Science Fiction": (("Orbital", "Silent", "Borrowed", "Ninth"), ("Signal", "Colony", "Gravity", "Memory")),
}
GENRES: Final = tuple(_WORDS)
_LAST_SECOND: Final = 1_790_000_000  # September 2026; fixed, so that every run has the same data
_DAY: Final = 86_400
_FIRST_DAY, _LATER_DAYS = 180, 7  # the history, and the week that arrives later
_SHARE_OF_TASTE: Final = 0.8  # of what a member watches; the rest is whatever is popular
_SHARE_OF_FAVOURITE: Final = 0.75  # of what follows taste; the rest is the second genre


@dataclass(frozen=True)
class Film:
    """One item of the catalogue."""

    id: str
    title: str
    genre: str
    second_genre: str
    added: int  # seconds since 1970
    popularity: float


@dataclass(frozen=True)
class Viewing:
    """One interaction."""

    user_id: str
    item_id: str
    timestamp: int
    event_type: str


@cache
def films() -> Sequence[Film]:
    """Return the catalogue. Films of a genre share words in their titles, and a few are much more popular."""
    chance = random.Random("films")
    return [_film(number, chance) for number in range(ITEMS)]


def _film(number: int, chance: random.Random) -> Film:
    genre = GENRES[number % len(GENRES)]
    first, second = _WORDS[genre]
    part = number // len(GENRES)
    title = f"{first[part % 4]} {second[part // 4 % 4]}"
    sequel = part // 16
    return Film(
        id=f"film-{number:03}",
        title=f"The {title}" + (f" {sequel + 1}" if sequel else ""),
        genre=genre,
        second_genre=chance.choice([other for other in GENRES if other != genre]),
        added=_LAST_SECOND - chance.randint(30, 900) * _DAY,
        popularity=1 / (12 + chance.randint(0, 60)),
    )


@cache
def favourite_genres() -> dict[str, tuple[str, str]]:
    """Return each member's planted tastes: the genre loved and the one liked."""
    chance = random.Random("tastes")
    return {f"member-{number:03}": _two_genres(chance) for number in range(USERS)}


def _two_genres(chance: random.Random) -> tuple[str, str]:
    loved, liked = chance.sample(GENRES, 2)
    return loved, liked


def viewings(count: int = INTERACTIONS, *, later: bool = False) -> list[Viewing]:
    """Return `count` interactions in order of time: the history, or those of the week after it."""
    chance = random.Random(f"viewings {later}")
    evenings = _evenings(chance, later=later)
    found: list[Viewing] = []
    while len(found) < count:
        found.extend(next(evenings))
    return sorted(found[:count], key=lambda viewing: viewing.timestamp)


def _evenings(chance: random.Random, *, later: bool) -> Iterator[Iterable[Viewing]]:
    """Yield evenings without end: one member, up to five films after each other, never one that was seen before."""
    seen: dict[str, set[str]] = {member: set() for member in favourite_genres()}
    if later:
        for viewing in viewings():
            seen[viewing.user_id].add(viewing.item_id)
    first, last = (0, _LATER_DAYS) if later else (-_FIRST_DAY, 0)
    members = list(favourite_genres())
    weights = list(accumulate(1 / (1 + number % 20) ** 0.5 for number in range(len(members))))
    while True:
        member = chance.choices(members, cum_weights=weights)[0]
        start = _LAST_SECOND - _LATER_DAYS * _DAY + chance.randint(first * _DAY, last * _DAY - 1)
        chosen = [film for film in (_choose(member, chance) for _ in range(chance.randint(1, 5))) if film]
        fresh = [film for film in dict.fromkeys(chosen) if film.id not in seen[member]]
        seen[member].update(film.id for film in fresh)
        yield [
            Viewing(member, film.id, start + step * 7_200, chance.choices(("watch", "like"), (4, 1))[0])
            for step, film in enumerate(fresh)
        ]


def _choose(member: str, chance: random.Random) -> Film:
    loved, liked = favourite_genres()[member]
    if chance.random() < _SHARE_OF_TASTE:
        genre = loved if chance.random() < _SHARE_OF_FAVOURITE else liked
        candidates, weights = _by_genre()[genre]
    else:
        candidates, weights = _by_genre()[""]
    return chance.choices(candidates, cum_weights=weights)[0]


@cache
def _by_genre() -> dict[str, tuple[Sequence[Film], Sequence[float]]]:
    """Return the films and cumulative popularities of each genre, and of all under the empty name."""
    chosen = {genre: [film for film in films() if film.genre == genre] for genre in GENRES} | {"": list(films())}
    return {genre: (found, list(accumulate(film.popularity for film in found))) for genre, found in chosen.items()}


def write(directory: Path) -> dict[str, Path]:
    """Write the demo's files below `directory`; return them by their keys in the bucket."""
    files = {
        "uploads/movies/interactions/history.csv": _interactions(viewings()),
        "uploads/movies/items/catalogue.csv": _items(),
        "uploads/movies/users/members.csv": _users(),
        "uploads/movies/batch/weekly/members.json": [json.dumps({"userId": user}) for user in favourite_genres()],
        "later/uploads/movies/interactions/week-2.csv": _interactions(viewings(LATER_INTERACTIONS, later=True)),
    }
    for key, lines in files.items():
        path = directory / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(lines, list):
            path.write_text("\n".join(lines) + "\n")
        else:
            with path.open("w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(lines)
    return {key: directory / key for key in files}


def _interactions(rows: Iterable[Viewing]) -> Iterator[Sequence[str | int]]:
    yield "USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"
    for row in rows:
        yield row.user_id, row.item_id, row.timestamp, row.event_type


def _items() -> Iterator[Sequence[str | int]]:
    yield "ITEM_ID", "TITLE", "GENRES", "CREATION_TIMESTAMP"
    for film in films():
        yield film.id, film.title, f"{film.genre}|{film.second_genre}", film.added


def _users() -> Iterator[Sequence[str]]:
    chance = random.Random("members")
    yield "USER_ID", "AGE_GROUP", "MEMBERSHIP"
    for user in favourite_genres():
        yield user, chance.choice(("18-29", "30-44", "45-64", "65+")), chance.choice(("monthly", "yearly"))


def main() -> None:
    """Write the files where somebody asked for them."""
    parser = argparse.ArgumentParser(description="Write the film club's data.")
    parser.add_argument("directory", type=Path)
    for key, path in write(parser.parse_args().directory).items():
        print(f"{key}  {path.stat().st_size:,} bytes")  # noqa: T201 -- this is a command


if __name__ == "__main__":
    main()
