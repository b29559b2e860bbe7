from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from monailabel.tasks.activelearning.epistemic import Epistemic
from monailabel.tasks.activelearning.random import Random
from starlette.exceptions import HTTPException

from vertenet import phantom
from vertenet.learning.informative import Informative
from vertenet.server.active.desk import MOST_LEASES, Desk
from vertenet.server.active.scores import ImageScore, ScoreTable
from vertenet.server.active.strategies import check_strategy, strategies
from vertenet.server.identity import Caller, current_caller
from vertenet.server.store import RadiographStore

MODEL = "a" * 64
IMAGES = [f"scan-{i:02d}" for i in range(40)]
#: What the model makes of the images: number 30 to 39 are refused.
DOUBT = np.random.default_rng(1).permutation(40) / 80


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    made = phantom.generate(0, scanner="hologic-4500a", difficulty="easy")
    return phantom.write(made, tmp_path_factory.mktemp("picture"), format="png", name="one").read_bytes()


@pytest.fixture
def store(tmp_path, picture):
    (tmp_path / "studies").mkdir()
    for name in IMAGES:
        (tmp_path / "studies" / f"{name}.png").write_bytes(picture)
    return RadiographStore(str(tmp_path / "studies"))


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "store.sqlite", clock=Clock())


@pytest.fixture
def scores(tmp_path):
    return ScoreTable(tmp_path / "store.sqlite")


@pytest.fixture
def known(desk, scores):
    return strategies(desk, scores, lambda: MODEL)


@pytest.fixture
def all_scored(scores):
    for i, name in enumerate(IMAGES):
        scores.put(score(name, i))


def score(name: str, i: int, model: str = MODEL) -> ImageScore:
    features = np.random.default_rng(i).normal(size=16).astype(np.float32)
    return ImageScore(name, model, "1-1", Informative(1.0, DOUBT[i], DOUBT[i] / 3, i < 30, 0.5, features))


def offers(strategy, store, count, **request) -> list[str]:
    return [strategy(request, store)["id"] for _ in range(count)]


@pytest.mark.parametrize("name", ["hybrid", "uncertainty", "diversity", "random", "first"])
def test_everybody_gets_another_image_until_none_is_left(known, store, all_scored, name):
    given = [known[name]({"client_id": f"person-{i % 4}"}, store)["id"] for i in range(40)]
    assert sorted(given) == IMAGES
    assert known[name]({"client_id": "latecomer"}, store) == {}


def test_eight_people_who_ask_at_once_through_all_strategies_never_share_an_image(known, store, all_scored):
    def work(i):
        strategy = known[list(known)[i % len(known)]]
        return offers(strategy, store, 5, client_id=f"person-{i}")

    with ThreadPoolExecutor(8) as pool:
        given = list(itertools.chain(*pool.map(work, range(8))))
    assert sorted(given) == IMAGES


def test_people_who_give_no_name_get_different_images_too(known, store, all_scored):
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: known["hybrid"]({}, store)["id"], range(16)))
    assert len(set(given)) == 16


def test_first_goes_by_the_ids(known, store):
    assert offers(known["first"], store, 3, client_id="anna") == IMAGES[:3]


def test_the_highest_uncertainty_comes_first(known, store, all_scored):
    given = known["uncertainty"]({"k": 5}, store)["ids"]
    typical = sorted(range(30), key=lambda i: -DOUBT[i])
    read = [name for name in given if int(name[-2:]) < 30]
    assert read == [IMAGES[i] for i in typical[: len(read)]]
    assert len(read) == 4  # and one that was refused, for a quarter of the folder was


def test_k_images_are_given_at_once_and_all_of_them_are_leased(known, store, all_scored, desk):
    answer = known["hybrid"]({"k": 6, "client_id": "anna"}, store)
    assert len(set(answer["ids"])) == 6
    assert answer["id"] == answer["ids"][0]
    assert {lease.image_id for lease in desk.leases()} == set(answer["ids"])
    assert not set(known["hybrid"]({"count": "6", "client_id": "ben"}, store)["ids"]) & set(answer["ids"])


def test_one_request_for_six_gets_what_six_requests_for_one_do(known, store, all_scored, tmp_path, scores):
    together = known["hybrid"]({"k": 6}, store)["ids"]
    other = strategies(Desk(tmp_path / "other.sqlite"), scores, lambda: MODEL)
    assert offers(other["hybrid"], store, 6) == together


def test_the_answer_says_why_and_by_which_model(known, store, all_scored):
    answer = known["uncertainty"]({}, store)
    i = IMAGES.index(answer["id"])
    assert answer["doubt"] == DOUBT[i]
    assert answer["typical"] is (i < 30)
    assert (answer["model_sha256"], answer["stale"]) == (MODEL, False)
    assert answer["lease_expires"].endswith("+00:00")
    assert "features" not in answer


def test_scores_of_a_model_that_is_served_no_more_are_used_and_called_stale(desk, scores, store, all_scored):
    answer = strategies(desk, scores, lambda: "b" * 64)["uncertainty"]({}, store)
    assert (answer["model_sha256"], answer["stale"]) == (MODEL, True)
    assert answer["doubt"] == max(DOUBT[:30])


def test_without_scores_the_order_is_random_and_with_some_the_scored_come_first(known, store, scores):
    assert known["hybrid"]({"client_id": "anna"}, store)["id"] in IMAGES
    for i in (3, 17, 25):
        scores.put(score(IMAGES[i], i))
    given = known["diversity"]({"client_id": "anna", "k": 5}, store)["ids"]
    held = 5 - len({IMAGES[i] for i in (3, 17, 25)} - set(given[:3]))
    assert len(given) == 5
    assert held >= 4  # one of the three may already have been given by chance


def test_a_file_that_cannot_be_read_is_offered_last(known, store, all_scored, scores):
    scores.put(ImageScore(IMAGES[0], MODEL, "1-1", error="not an image"))
    for name in ("first", "random", "hybrid"):
        assert IMAGES[0] not in known[name]({"k": 13, "client_id": name}, store)["ids"]
    assert known["first"]({"client_id": "last"}, store)["id"] == IMAGES[0]


def test_a_skipped_image_goes_to_somebody_else(known, store, desk):
    (image,) = offers(known["first"], store, 1, client_id="anna")
    desk.skip("anna", image, "blurred")
    assert offers(known["first"], store, 1, client_id="anna") != [image]
    assert offers(known["first"], store, 1, client_id="ben") == [image]


def test_an_expired_lease_goes_to_somebody_else(known, store, desk):
    (image,) = offers(known["first"], store, 1, client_id="anna")
    desk.clock.now += desk.lease_s
    assert offers(known["first"], store, 1, client_id="ben") == [image]


def test_who_holds_as_many_as_anybody_may_gets_those_again_the_oldest_first(known, store, desk):
    given = []
    for _ in range(MOST_LEASES):
        desk.clock.now += 1
        given += offers(known["first"], store, 1, client_id="anna")
    for image in given[:3]:
        desk.clock.now += 1
        assert offers(known["first"], store, 1, client_id="anna") == [image]
    assert offers(known["first"], store, 1, client_id="ben") == [IMAGES[MOST_LEASES]]


def test_when_nothing_is_free_people_get_their_own_again(known, store, desk):
    known["first"]({"client_id": "anna", "k": 20}, store)
    known["first"]({"client_id": "ben", "k": 20}, store)
    assert known["first"]({"client_id": "anna"}, store)["id"] in IMAGES[:20]
    assert known["first"]({"client_id": "ben"}, store)["id"] in IMAGES[20:]


def test_a_seed_makes_the_random_order_repeatable_and_another_changes_it(store, tmp_path, scores):
    def order(name, seed):
        return strategies(Desk(tmp_path / name), scores, lambda: MODEL)["random"]({"k": 20, "seed": seed}, store)["ids"]

    assert order("one", 7) == order("two", 7)
    assert order("one-more", 8) != order("two-more", 7)


def test_monai_label_s_own_epistemic_gives_the_least_uncertain_and_ours_the_most(known, store, all_scored):
    now = int(time.time())
    for name, doubt in zip(IMAGES, DOUBT):
        offered = {"epistemic": {"ts": now - 3600 + int(7000 * doubt)}}  # the surer, the longer ago
        store.update_image_info(name, {"epistemic_entropy": doubt, "strategy": offered})
    theirs = Epistemic(k=1)({"strategy": "epistemic"}, store)["id"]
    assert DOUBT[IMAGES.index(theirs)] == DOUBT.min()
    ours = known["uncertainty"]({}, store)["id"]
    assert DOUBT[IMAGES.index(ours)] == DOUBT[:30].max()


def test_random_offers_again_what_was_offered_a_moment_ago_where_monai_label_s_own_raises(known, store):
    for name in IMAGES:
        store.update_image_info(name, {"strategy": {"random": {"ts": int(time.time()) + 60}}})  # no weight above 0
    with pytest.raises(ValueError, match="greater than zero"):
        Random()({"strategy": "random"}, store)
    assert len(set(offers(known["random"], store, 40, client_id="anna"))) == MOST_LEASES


def test_the_token_s_name_holds_the_lease_whatever_the_request_says(known, store, desk):
    token = current_caller.set(Caller("anna", "annotator"))
    try:
        known["first"]({"client_id": "ben"}, store)
    finally:
        current_caller.reset(token)
    assert [lease.annotator for lease in desk.leases()] == ["anna"]


@pytest.mark.parametrize("bad", [{"k": 0}, {"k": MOST_LEASES + 1}, {"k": "many"}, {"k": True}, {"count": 1.5}])
def test_a_bad_number_of_images_is_a_400(known, store, bad, desk):
    with pytest.raises(HTTPException, match="whole number") as caught:
        known["hybrid"](bad, store)
    assert caught.value.status_code == 400
    assert desk.leases() == []


def test_a_bad_name_is_a_400(known, store):
    with pytest.raises(HTTPException, match="plain word") as caught:
        known["hybrid"]({"client_id": "../etc"}, store)
    assert caught.value.status_code == 400


def test_an_unknown_strategy_is_a_404_with_the_names_and_none_is_the_default(known):
    with pytest.raises(HTTPException, match="hybrid, uncertainty") as caught:
        check_strategy({"strategy": "epistemic"}, known)
    assert caught.value.status_code == 404
    request = {}
    check_strategy(request, known)
    assert request["strategy"] == "hybrid"
