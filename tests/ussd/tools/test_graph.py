"""A pack as a drawing: every state once, every way, and what it was used for."""

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

import pytest

from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.tools.drawing import svg
from ussd_gateway.ussd.tools.graph import Node, mermaid, tree
from ussd_gateway.ussd.tools.reach import edges
from ussd_gateway.ussd.turn.counting import Count


def nodes(roots: tuple[Node, ...]) -> Iterator[Node]:
    for node in roots:
        yield node
        yield from nodes(node.children)


@pytest.mark.parametrize("pack", ["customer", "agent"])
def test_every_way_is_drawn_once(packs: Mapping[str, Program], pack: str) -> None:
    program = packs[pack]
    drawn = list(nodes(tree(program, "en")))
    lines = {(node.name, child.name) for node in drawn for child in node.children}
    notes = {(node.name, target) for node in drawn for _, target in node.notes}

    assert len({node.name for node in drawn}) == len(drawn)
    assert lines | notes == {(edge.source, edge.target) for edge in edges(program, "en")}
    assert not any(node.unreached for node in drawn)


def test_money_stands_out(customer: Program) -> None:
    money = {node.name for node in nodes(tree(customer, "en")) if node.money}

    assert money == {
        "send_pin",
        "voucher_pin",
        "withdraw_pin",
        "bill_pin",
        "till_pin",
        "content_pin",
        "airtime_pin",
        "wanted_give",
    }
    assert svg(tree(customer, "en"), title="customer").count('class="shape money"') == 9


def test_boxes_never_meet(customer: Program) -> None:
    text = svg(tree(customer, "en"), title="customer")
    boxes = [
        tuple(map(int, found))
        for found in re.findall(r'class="name" x="([0-9]+)" y="([0-9]+)"', text)
    ]

    assert len(boxes) == len(set(boxes))
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    assert all(x < width and y < height for x, y in boxes)


def test_counts_say_how_many_came_and_left(customer: Program) -> None:
    counts = {"home": Count(entered=1200, answered=900, wrong=31)}
    told = "1,200 came, 25% left, 31 wrong"

    assert told in svg(tree(customer, "en", counts), title="customer")
    assert f's_home["home<br>{told}"]' in mermaid(customer, "en", counts)


def test_mermaid_names_each_state_and_labels_each_way(customer: Program) -> None:
    text = mermaid(customer, "en")

    assert text.startswith("flowchart LR\n")
    for name in customer.states:
        assert re.search(rf"^  s_{name}\W", text, re.MULTILINE), name
    assert '  s_home -->|"1. Send money"| s_send_to\n' in text
    assert "  s_send_to --> s_send_amount\n" in text
    assert "  class s_send_pin money\n" in text


def test_options_are_labelled_in_the_language_asked_for(customer: Program) -> None:
    assert '|"1. Tuma pesa"|' in mermaid(customer, "sw")
