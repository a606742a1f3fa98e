"""A slice of the small world; all of it is `make prove`."""

import pytest

from prove.__main__ import file_of
from prove.answers import answered, ask
from prove.invariants import ALL, complaints
from prove.world import BLOCKS, MAIN, Block, Case, Letter, Row

SLICE = 211
BY_NAME = {block.name: block for block in BLOCKS}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_invariants_hold_on_a_slice(block):
    number = BLOCKS.index(block)
    for first in range(len(block.letters)):
        _, broken = answered(number, first, step=SLICE)
        assert not broken


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_every_block_is_frozen_whole(block):
    name, count, *_ = file_of(block.name).read_text(encoding="utf-8").splitlines()
    assert name == block.name
    assert count == f"encounters {sum(1 for first in range(len(block.letters)) for _ in block.cases(first))}"


def test_no_other_file_is_frozen():
    folder = file_of("any").parent
    assert {path.name for path in folder.iterdir()} == {file_of(block.name).name for block in BLOCKS}


def test_the_world_is_as_large_as_its_alphabet():
    # 30 letters: every word of one, two and three; without an order, every multiset of as many.
    assert len(MAIN) == 30
    assert len(words(Block("x", "12", "31 apart"))) == 30 + 30**2 + 30**3
    assert len(words(Block("x", "12", "together"))) == 30 + 30 * 31 // 2 + 30 * 31 * 32 // 6


def words(block):
    """Every encounter of a block that no other stands before, told apart."""
    return {str(case) for first in range(len(block.letters)) for case in block.cases(first)}


def case(*rows, place="22"):
    return Case(place, tuple(Row(str(number), Letter(*row[:3]), row[3], "1") for number, row in enumerate(rows, 1)))


LEAD, PUSH = ("c", "drip", 91, 0), ("a", "push", None, 0)
DRIP, FLUID, SHOT = ("a", "drip", 60, 100), ("f", "drip", 91, 200), ("a", "im", None, 0)


# What an answer would have to say to break each invariant: line number, and the fields put in.
WRONG = {
    "every_administration_is_answered_once": (case(LEAD, PUSH), {2: {"administrations": ("1",)}}),
    "one_initial_for_each_access": (case(LEAD, PUSH), {2: {"code": "96374"}}),
    "the_initial_service_ranks_highest": (case(LEAD, DRIP), {0: {"code": "96417"}, 2: {"code": "96365"}}),
    "an_add_on_has_a_primary": (case(LEAD, PUSH), {0: {"code": "96549"}}),
    "a_repeat_push_is_for_a_facility_and_late_enough": (case(LEAD, PUSH), {2: {"code": "96376"}}),
    "units_follow_the_minutes": (case(LEAD, PUSH), {1: {"units": 2}}),
    "fluid_is_never_a_push": (case(LEAD, FLUID), {2: {"code": "96375"}}),
    "categories_do_not_mix": (case(LEAD, PUSH), {2: {"code": "96411"}}),
    "one_concurrent_infusion": (case(LEAD, ("a", "drip", 60, 0)), {2: {"units": 2}}),
    "an_injection_has_its_own_line": (case(LEAD, SHOT), {2: {"code": "96375"}}),
}


@pytest.mark.parametrize("hold", ALL, ids=lambda hold: hold.__name__)
def test_an_invariant_can_be_broken(hold):
    asked, changes = WRONG[hold.__name__]
    answer = ask(asked)
    assert not list(complaints(asked, answer))
    lines = [line.model_copy(update=changes.get(number, {})) for number, line in enumerate(answer.lines)]
    assert list(hold(asked, answer.model_copy(update={"lines": tuple(lines)})))
