"""What editors know of a pack: the shipped ones are right, and a wrong shape is not."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from ussd_gateway.cli.menu.looking import schema_text
from ussd_gateway.files import strict_yaml
from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Action
from ussd_gateway.settings import Settings
from ussd_gateway.ussd.tools.json_schema import json_schema
from ussd_gateway.ussd.versions import plain

SCHEMA = Path("menus/pack.schema.json")
PACKS = (Path("menus/customer.yaml"), Path("menus/agent.yaml"))
BROKEN = sorted(Path("fixtures/lint").glob("E0[13]_*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_file_is_what_the_command_prints() -> None:
    """`ussd-gateway menu schema > menus/pack.schema.json` makes it so."""
    assert SCHEMA.read_text("utf-8") == schema_text(Settings())


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_shipped_pack_is_right(path: Path, validator: Draft202012Validator) -> None:
    """As the gateway reads it, and as an editor does."""
    source = path.read_bytes()
    root = strict_yaml.read(source, Faults(path.name))
    assert root is not None
    for read in (plain(root), yaml.safe_load(source)):
        assert [error.message for error in validator.iter_errors(read)] == []


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_shipped_pack_names_its_schema(path: Path) -> None:
    first, _, _ = path.read_text("utf-8").partition("\n")

    assert first == f"# yaml-language-server: $schema={SCHEMA.name}"


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_wrong_shape_is_marked(path: Path, validator: Draft202012Validator) -> None:
    root = strict_yaml.read(path.read_bytes(), Faults(path.name))
    assert root is not None

    assert list(validator.iter_errors(plain(root))), path


def test_every_action_is_offered_where_it_fits(actions: Mapping[str, Action]) -> None:
    kinds = json_schema(actions)["$defs"]["any_state"]["properties"]
    offered = {
        kind: kinds[kind]["properties"]["do"]["enum"] for kind in ("secret", "list", "call")
    }

    assert "send_money" in offered["secret"]
    assert "send_money" not in offered["call"]
    assert offered["list"] == ["content.offered"]
    assert set(actions) == {name for names in offered.values() for name in names}


def test_every_field_says_what_it_is(actions: Mapping[str, Action]) -> None:
    schema = json_schema(actions)
    kinds = schema["$defs"]["any_state"]["properties"]
    for of in (schema, *kinds.values()):
        for name, field in of.get("properties", {}).items():
            assert field.get("description"), name
