"""What is proposed stays as it was looked at, and nobody approves what they have written."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import SetClock
from tests.world import at_once
from ussd_gateway.store.database import writing
from ussd_gateway.store.menus.proposals import Proposed, SqlProposals
from ussd_gateway.store.menus.rollout import Share
from ussd_gateway.store.menus.versions import IsRetired, Move, Overtaken, SqlVersions, Why
from ussd_gateway.store.schema import menu_approval
from ussd_gateway.store.staff import Keys, Role, SqlStaff

ONE, TWO = "1" * 16, "2" * 16
SIX_O_CLOCK_MS = 1_795_240_800_000
FIRST = Proposed(
    pack="customer",
    digest=ONE,
    after=0,
    against=None,
    author="njeri",
    note="the first",
    changes="{}",
    lint="[]",
    tests="{}",
)


@pytest.fixture
def proposals(engine: Engine, clock: SetClock) -> SqlProposals:
    staff = SqlStaff(engine, clock)
    for name, role in (("njeri", Role.MAKER), ("odhiambo", Role.CHECKER)):
        staff.add(name, role, Keys("a hash", "a seed"), added_by="installation")
    return SqlProposals(engine, clock)


@pytest.fixture
def versions(engine: Engine, clock: SetClock) -> SqlVersions:
    return SqlVersions(engine, clock)


def approve(proposals: SqlProposals, number: int) -> Move:
    proposal = proposals.find(number)
    assert proposal is not None
    return proposals.approve(proposal, approver="odhiambo", rollout=None)


def test_what_is_proposed_is_kept_and_is_not_live(
    proposals: SqlProposals, versions: SqlVersions
) -> None:
    number = proposals.propose(FIRST, b"octets")

    found = proposals.find(number)
    assert found is not None
    assert (found.proposed, found.at_ms, found.approver) == (FIRST, SIX_O_CLOCK_MS, None)
    assert proposals.open() == [found]
    assert versions.source("customer", ONE) == b"octets"
    assert versions.live() == {}
    assert proposals.find(number + 1) is None


def test_what_is_approved_is_live_with_author_and_approver(
    proposals: SqlProposals, versions: SqlVersions
) -> None:
    number = proposals.propose(FIRST, b"octets")
    move = approve(proposals, number)

    assert move == Move(
        "customer", 1, ONE, Why.PUBLISH, SIX_O_CLOCK_MS, "njeri", "the first", "odhiambo"
    )
    assert versions.live() == {"customer": move}
    assert proposals.open() == []
    found = proposals.find(number)
    assert found is not None
    assert found.approver == "odhiambo"


def test_an_approval_can_be_for_some(proposals: SqlProposals, versions: SqlVersions) -> None:
    approve(proposals, proposals.propose(FIRST, b"octets"))
    second = replace(FIRST, digest=TWO, after=1, against=ONE)
    proposal = proposals.find(proposals.propose(second, b"others"))
    assert proposal is not None
    proposals.approve(proposal, approver="odhiambo", rollout=Share(10))

    assert versions.live()["customer"].rollout == Share(10)


def test_of_two_proposals_against_the_same_version_one_is_approved(
    proposals: SqlProposals, versions: SqlVersions
) -> None:
    first = proposals.propose(FIRST, b"octets")
    second = proposals.propose(replace(FIRST, digest=TWO), b"others")
    approve(proposals, first)

    with pytest.raises(Overtaken):
        approve(proposals, second)
    assert versions.live()["customer"].digest == ONE
    assert [proposal.number for proposal in proposals.open()] == [second]


def test_of_many_approvals_at_the_same_moment_one_holds(proposals: SqlProposals) -> None:
    number = proposals.propose(FIRST, b"octets")

    def one() -> bool:
        try:
            approve(proposals, number)
        except Overtaken:
            return False
        return True

    assert sorted(at_once(*[one] * 4)) == [False, False, False, True]


def test_what_was_retired_meanwhile_is_not_approved(
    proposals: SqlProposals, versions: SqlVersions
) -> None:
    approve(proposals, proposals.propose(FIRST, b"octets"))
    approve(proposals, proposals.propose(replace(FIRST, digest=TWO, after=1), b"others"))
    again = proposals.propose(replace(FIRST, after=2, against=TWO), b"octets")
    versions.retire("customer", ONE, after=2, author="odhiambo")

    with pytest.raises(IsRetired):
        approve(proposals, again)
    assert versions.live()["customer"].digest == TWO
    assert [proposal.number for proposal in proposals.open()] == [again]


@pytest.mark.parametrize("author", ["njeri", "odhiambo"])
def test_the_table_itself_takes_no_approval_by_the_author(
    proposals: SqlProposals, engine: Engine, author: str
) -> None:
    """Nor one that names another author than the proposal's."""
    approve(proposals, proposals.propose(FIRST, b"octets"))
    number = proposals.propose(replace(FIRST, digest=TWO), b"others")
    row = {
        "proposal_id": number,
        "author": author,
        "approver": "njeri",
        "pack": "customer",
        "seq": 1,
        "at_ms": 0,
    }
    refused = pytest.raises(DBAPIError, match=r"ck_menu_approval_approver|(?i:foreign key)")
    with refused, writing(engine) as connection:
        connection.execute(insert(menu_approval).values(row))


@pytest.mark.parametrize("table", ["menu_proposal", "menu_approval"])
@pytest.mark.parametrize("change", ["UPDATE {} SET author = 'nobody'", "DELETE FROM {}"])
def test_what_was_decided_never_changes(
    proposals: SqlProposals, engine: Engine, table: str, change: str
) -> None:
    approve(proposals, proposals.propose(FIRST, b"octets"))

    refused = pytest.raises(DBAPIError, match="never change")
    with refused, writing(engine) as connection:
        connection.execute(text(change.format(table)))
