"""When the wait loop looks: few looks, small delays. The numbers are ours; the bars are the project's promises."""

import random
from itertools import pairwise
from statistics import mean

import pytest

from lambdas.personalize import resource_steps
from lambdas.personalize.resources import MINUTE, RESOURCES, Cadence
from lambdas.personalize.wait_times import Expectation, expect, wait_seconds
from lambdas.uploads.import_state import ImportState, Job

JOB = Job(jobName="job", arn="arn", mode="FULL", files=1, rows=1)
TRAINING = RESOURCES["solution_version"].cadence


def looks_until(end: float, expectation: Expectation, cadence: Cadence) -> list[float]:
    """Return the ages at which the loop looks at something that is done at the age `end`."""
    ages = [0.0]
    while ages[-1] < end:
        ages.append(ages[-1] + wait_seconds(ages[-1], expectation, cadence))
    return ages[1:]


def test_without_history_the_typical_duration_is_a_guess() -> None:
    assert expect(TRAINING, []) == Expectation(90 * MINUTE, 18 * MINUTE, guessed=True)


def test_history_replaces_the_guess_and_its_spread_is_what_was_seen() -> None:
    assert expect(TRAINING, [1000, 1200, 1100]) == Expectation(1100, 100)


def test_a_run_that_takes_as_long_as_the_one_before_is_seen_within_seconds() -> None:
    expectation = expect(TRAINING, [5400])
    ages = looks_until(5400, expectation, TRAINING)
    assert len(ages) <= 4
    assert ages[-1] - 5400 <= 60


@pytest.mark.parametrize("noun", ["dataset_import_job", "solution_version", "campaign", "batch_inference_job"])
def test_repeated_jobs_cost_few_looks_and_little_delay(noun: str) -> None:
    cadence, chance = RESOURCES[noun].cadence, random.Random(noun)
    delays, counts = [], []
    for _ in range(200):
        end = cadence.typical_seconds * chance.uniform(0.98, 1.02)
        ages = looks_until(end, expect(cadence, [float(cadence.typical_seconds)]), cadence)
        delays.append(ages[-1] - end)
        counts.append(len(ages))
    assert mean(counts) <= 4
    assert mean(delays) <= 0.02 * cadence.typical_seconds + 10


def test_small_data_is_not_waited_for_as_if_it_were_large() -> None:
    """Without history there is an early look: a job that takes a quarter of the usual is seen by half of it."""
    cadence = RESOURCES["dataset_import_job"].cadence
    quick = cadence.typical_seconds / 4
    assert looks_until(quick, expect(cadence, []), cadence)[-1] <= cadence.typical_seconds / 2


def test_what_takes_far_longer_than_expected_is_looked_at_less_and_less_often_but_never_given_up() -> None:
    ages = looks_until(20 * 3600, expect(TRAINING, [3600]), TRAINING)
    gaps = [after - before for before, after in pairwise(ages)]
    assert max(gaps) <= TRAINING.longest_wait_seconds
    assert len(ages) < 60


def test_a_wait_is_always_at_least_a_second() -> None:
    assert all(wait_seconds(age, Expectation(40, 8), TRAINING) >= 1 for age in range(0, 10_000, 7))


MOST_EVENTS = 24_000  # of 25,000, which end an execution without a word
EVENTS = {"Task": 5, "Choice": 2, "Wait": 2}  # entered, scheduled, started, succeeded, left
LOOK = EVENTS["Task"] + EVENTS["Choice"] + EVENTS["Wait"]  # Find, Decide, Wait
TRY = LOOK + EVENTS["Task"]  # and Create, which a full queue refuses


@pytest.mark.parametrize("noun", RESOURCES)
def test_our_patience_fits_into_a_history(noun: str) -> None:
    """Fact: an execution whose history passes 25,000 events fails, uncaught."""
    row = RESOURCES[noun]
    for durations in ([], [float(row.cadence.typical_seconds)], [5.0]):
        ages = looks_until(row.cadence.patience_seconds, expect(row.cadence, durations), row.cadence)
        assert len(ages) * LOOK <= MOST_EVENTS
    for seconds in (resource_steps._QUOTA_WAIT_SECONDS, resource_steps.BUSY_WAIT_SECONDS):
        tries = row.cadence.patience_seconds / resource_steps.between_tries(row, seconds)
        assert tries * TRY <= MOST_EVENTS


def test_who_waits_for_a_slot_tries_sooner_than_others_yield_it() -> None:
    row = RESOURCES["dataset_import_job"]
    waits = resource_steps.between_tries(row, resource_steps._QUOTA_WAIT_SECONDS)
    assert waits < ImportState().after(JOB, 1).yield_seconds
