"""Fair splits, for cohorts of every shape."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertenet.errors import OptionError
from vertenet.experiments.data import Entry
from vertenet.experiments.folds import make_folds, scanner_folds, split

#: Scans of a person on one scanner, as most people have them: (scanner, number of scans).
single = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), min_size=4, max_size=40)
#: The scanner of each scan of each person.
several = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=4, max_size=25)


def cohort(people):
    return [
        Entry(f"{person}-{number}", f"p{person}", scanner)
        for person, scanners in enumerate(people)
        for number, scanner in enumerate(scanners)
    ]


@settings(deadline=None)
@given(several, st.integers(2, 4), st.integers(0, 9))
def test_nobody_is_in_two_folds_and_every_case_is_tested_once(people, k, seed):
    cases = cohort(people)
    folds = make_folds(cases, k, seed)
    assert len(folds) == len(cases)
    assert set(folds) == set(range(k))
    for person in {case.person for case in cases}:
        assert len({fold for case, fold in zip(cases, folds) if case.person == person}) == 1


@settings(deadline=None)
@given(single, st.integers(2, 4), st.integers(0, 9))
def test_folds_differ_in_a_scanners_scans_by_one_person_at_most(people, k, seed):
    cases = cohort([[scanner] * scans for scanner, scans in people])
    folds = make_folds(cases, k, seed)
    for scanner in {case.scanner for case in cases}:
        counts = Counter(dict.fromkeys(range(k), 0))
        counts.update(fold for case, fold in zip(cases, folds) if case.scanner == scanner)
        largest = max(scans for name, scans in people if name == scanner)
        assert max(counts.values()) - min(counts.values()) <= largest


@settings(deadline=None)
@given(several, st.integers(2, 4), st.integers(0, 9))
def test_training_validation_and_test_share_no_person_and_leave_nobody_out(people, k, seed):
    cases = cohort(people)
    folds = make_folds(cases, k, seed)
    for fold in range(k):
        if len({case.person for case, f in zip(cases, folds) if f != fold}) < 2:
            continue
        parts = split(cases, folds, fold, seed)
        persons = [{cases[i].person for i in part} for part in (parts.test, parts.training, parts.validation)]
        assert all(persons)
        assert sum(len(p) for p in persons) == len(set().union(*persons))
        assert sorted(np.concatenate([parts.test, parts.training, parts.validation])) == list(range(len(cases)))


def test_the_same_seed_gives_the_same_folds_and_another_gives_others():
    cases = cohort([["a"]] * 30)
    assert make_folds(cases, 5, 1).tolist() == make_folds(cases, 5, 1).tolist()
    assert make_folds(cases, 5, 1).tolist() != make_folds(cases, 5, 2).tolist()


def test_more_folds_than_any_scanner_has_scans_are_still_even():
    folds = make_folds(cohort([[scanner] for scanner in "abcde" * 4]), 10)
    assert Counter(folds.tolist()) == dict.fromkeys(range(10), 2)


def test_a_left_out_scanner_is_tested_whole_and_its_people_are_not_trained_on():
    cases = cohort([["a"], ["a", "b"], ["b"], ["b"], ["c"], ["c"]])
    folds = scanner_folds(cases)
    parts = split(cases, folds, 0)
    assert {cases[i].scanner for i in parts.test} == {"a"}
    assert len(parts.test) == 2
    # The second scan of the person seen on both scanners is neither tested on nor trained on.
    assert "p1" not in {cases[i].person for i in [*parts.training, *parts.validation]}


@pytest.mark.parametrize("k", [1, 5])
def test_a_number_of_folds_that_cannot_be_is_refused(k):
    with pytest.raises(OptionError, match="4 persons allow no more"):
        make_folds(cohort([["a"]] * 4), k)


def test_one_scanner_cannot_be_left_out():
    with pytest.raises(OptionError, match="all images are of 'a'"):
        scanner_folds(cohort([["a"], ["a"]]))
