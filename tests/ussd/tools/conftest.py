"""Packs to look at: those that are shipped, and small ones that tests take apart."""

from collections.abc import Mapping

import pytest

from ussd_gateway.app import unbound_actions, unbound_packs
from ussd_gateway.ports import Action
from ussd_gateway.settings import Settings
from ussd_gateway.ussd.menu import Program


@pytest.fixture(scope="session")
def packs() -> Mapping[str, Program]:
    return unbound_packs(Settings())


@pytest.fixture(scope="session")
def actions() -> Mapping[str, Action]:
    return unbound_actions(Settings())


@pytest.fixture(scope="session")
def customer(packs: Mapping[str, Program]) -> Program:
    return packs["customer"]
