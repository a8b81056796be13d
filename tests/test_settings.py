"""The environment, one variable a row: what it becomes, and what is said of a bad one."""

import secrets
from ipaddress import ip_network
from pathlib import Path

import pytest

from ussd_gateway.settings import (
    DEMO_PIN_KEY,
    KeyRing,
    Purpose,
    Settings,
    SettingsFault,
    load,
    socket_path_octets_max,
    valkey_socket,
)

KEY = "00" * 31 + "0f"
OTHER_KEY = "ff" * 32
PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": "postgresql://gateway:moonlight@db.internal/gateway",
    "REDIS_URL": "rediss://:starlight@redis.internal:6379/0",
    "PIN_KEY": f"k2:{KEY},k1:{OTHER_KEY}",
    "CALLBACK_TOKENS": "a-long-and-secret-token,the-token-before-it",
    "ALLOWED_IPS": "10.1.0.0/16, 10.2.3.4",
    "AT_USERNAME": "jirani",
    "AT_API_KEY": "sunlight",
    "CARRIER_BASE_URL": "https://billing.carrier.example/camara/",
    "CARRIER_TOKEN": "candlelight",
}


def faults(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsFault) as raised:
        load(environ)
    return raised.value.faults


def test_nothing_set_is_the_demo() -> None:
    settings = load({})

    assert not settings.production
    assert settings.data_dir == Path("var").absolute()
    assert settings.embeds_database
    assert settings.database_url == f"sqlite:///{settings.data_dir}/gateway.sqlite"
    assert settings.embeds_valkey
    assert settings.redis_url == f"unix://{settings.data_dir}/valkey.sock"
    assert settings.callback_tokens == ("dev",)
    assert settings.at_base_url == "http://127.0.0.1:8100"
    assert settings.carrier_base_url == "http://127.0.0.1:8100/carrier"
    assert settings.carrier_token == "demo"
    assert settings.allowed_ips == (ip_network("127.0.0.0/8"), ip_network("::1"))


def test_an_smsc_is_the_simulators_or_is_named() -> None:
    demo = load({})
    assert (demo.smpp_host, demo.smpp_port, demo.smpp_tls) == ("127.0.0.1", None, False)
    assert (demo.smpp_system_id, demo.smpp_password) == ("gateway", "demo")

    without = load(PRODUCTION)
    assert (without.smpp_host, without.smpp_port, without.smpp_system_id) == (None, None, None)
    assert without.smpp_tls

    named = load(
        PRODUCTION
        | {
            "SMPP_HOST": "smsc.carrier.example",
            "SMPP_PORT": "2775",
            "SMPP_SYSTEM_ID": "jirani",
            "SMPP_PASSWORD": "dawn",
            "SMPP_TLS": "off",
        }
    )
    assert (named.smpp_host, named.smpp_port) == ("smsc.carrier.example", 2775)
    assert (named.smpp_system_id, named.smpp_password) == ("jirani", "dawn")
    assert not named.smpp_tls
    assert "dawn" not in repr(named)


def test_empty_counts_as_unset() -> None:
    assert load({"PORT": "", "SEED": ""}) == load({})


def test_production_has_what_it_was_given() -> None:
    settings = load(PRODUCTION)

    assert settings.production
    assert not settings.embeds_database
    assert not settings.embeds_valkey
    assert settings.pin_key.current_kid == "k2"
    assert settings.callback_tokens == ("a-long-and-secret-token", "the-token-before-it")
    assert settings.allowed_ips == (ip_network("10.1.0.0/16"), ip_network("10.2.3.4"))
    assert settings.at_base_url == "https://api.africastalking.com"
    assert settings.carrier_base_url == "https://billing.carrier.example/camara"
    assert settings.carrier_token == "candlelight"


@pytest.mark.parametrize(
    "name",
    [
        *("DATABASE_URL", "REDIS_URL", "PIN_KEY", "CALLBACK_TOKENS"),
        *("ALLOWED_IPS", "AT_USERNAME", "AT_API_KEY"),
        *("CARRIER_BASE_URL", "CARRIER_TOKEN"),
    ],
)
def test_production_has_no_default_for(name: str) -> None:
    without = {key: value for key, value in PRODUCTION.items() if key != name}
    (fault,) = faults(without)
    assert fault.startswith(f"{name}: production ")


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("PIN_KEY", DEMO_PIN_KEY, "openssl rand -hex 32"),
        ("PIN_KEY", f"k1:{KEY},old:{DEMO_PIN_KEY.partition(':')[2]}", "openssl rand -hex 32"),
        ("CALLBACK_TOKENS", "dev", "openssl rand -hex 16"),
        ("CALLBACK_TOKENS", "a-long-and-secret-token,dev", "16 characters or more"),
        ("AT_USERNAME", "sandbox", "your account's name"),
        ("AT_API_KEY", "demo", "made in your account"),
        ("AT_BASE_URL", "http://api.africastalking.com", "unencrypted"),
        ("CARRIER_BASE_URL", "http://billing.carrier.example", "unencrypted"),
        ("CARRIER_BASE_URL", "http://127.0.0.1:8100/carrier", "the carrier gives you"),
        ("CARRIER_TOKEN", "demo", "the carrier gives you"),
        ("SMPP_SYSTEM_ID", "gateway", "the carrier gives you"),
        ("SMPP_PASSWORD", "demo", "the carrier gives you"),
        ("CLOCK_OFFSET_S", "0", "demo only"),
        ("SEED", "7", "demo only"),
    ],
)
def test_production_refuses(name: str, value: str, advice: str) -> None:
    (fault,) = faults(PRODUCTION | {name: value})
    assert fault.startswith(f"{name}: ")
    assert advice in fault


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("APP_ENV", "staging", "APP_ENV=demo or APP_ENV=production"),
        ("PORT", "80a", "a number from 1 to 65535"),
        ("PORT", "65536", "a number from 1 to 65535"),
        ("SIM_PORT", "8000", "the same as PORT"),
        ("DATABASE_URL", "mysql://root@localhost/gateway", "postgresql://"),
        ("REDIS_URL", "localhost:6379", "redis://host"),
        ("PIN_KEY", KEY, "write name:hex"),
        ("PIN_KEY", "k1:00ff", "32 octets or more"),
        ("PIN_KEY", f"k1:{KEY},k1:{OTHER_KEY}", "two keys are named 'k1'"),
        ("CALLBACK_TOKENS", "one,two,three", "one token, or 2"),
        ("CALLBACK_TOKENS", ",", "one token, or 2"),
        ("CALLBACK_TOKENS", "a/b", "letters, digits"),
        ("ALLOWED_IPS", "10.1.2.3/16", "has host bits set"),
        ("TRUSTED_PROXIES", "localhost", "10.1.2.3"),
        ("AT_BASE_URL", "https://api.africastalking.com", "its simulator only"),
        ("AT_BASE_URL", "127.0.0.1:8100", "write an address like"),
        ("CARRIER_BASE_URL", "https://billing.carrier.example", "its simulator only"),
        ("CARRIER_BASE_URL", "carrier", "write an address like"),
        ("SMPP_HOST", "smsc.carrier.example", "its simulator only"),
        ("SMPP_PORT", "2775a", "a number from 1 to 65535"),
        ("SMPP_PORT", "8000", "the same as PORT"),
        ("SMPP_PORT", "8100", "the same as SIM_PORT"),
        ("SMPP_SYSTEM_ID", "sixteen-letters-", "at most 15 plain characters"),
        ("SMPP_PASSWORD", "moonlight", "at most 8 plain characters"),
        ("SMPP_PASSWORD", "mwezi\u00e9", "at most 8 plain characters"),
        ("SMPP_TLS", "yes", "write on or off"),
        ("LOG_LEVEL", "loud", "debug, info, warning, error"),
        ("CLOCK_OFFSET_S", "1.5", "whole seconds"),
        ("SEED", "lucky", "a whole number"),
    ],
)
def test_a_bad_value_is_told_in_one_line(name: str, value: str, advice: str) -> None:
    (fault,) = faults({name: value})
    assert fault.startswith(f"{name}: ")
    assert advice in fault
    assert "\n" not in fault


def test_all_faults_are_told_at_once() -> None:
    told = faults({"PORT": "x", "PIN_KEY": "y", "AT_BASE_URL": "https://example.org"})
    assert [fault.partition(":")[0] for fault in told] == ["PORT", "PIN_KEY", "AT_BASE_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("LOG_LEVEL", "WARNING"), ("AT_BASE_URL", "http://localhost:8100/"), ("PORT", "1")],
)
def test_a_good_value_is_taken(name: str, value: str) -> None:
    load({name: value})


def test_secrets_are_neither_printed_nor_told() -> None:
    words = (
        *("moonlight", "starlight", "sunlight", "candlelight"),
        *(KEY, OTHER_KEY, "a-long-and-secret-token"),
    )
    settings = load(PRODUCTION)
    bad = {"PIN_KEY": f"k1:{KEY}zz", "CALLBACK_TOKENS": "sunlight", "REDIS_URL": "moonlight"}

    shown = f"{settings} {settings!r} {settings.pin_key!r} {faults(PRODUCTION | bad)}"

    assert not [word for word in words if word in shown]


def test_each_purpose_and_each_key_has_a_subkey_of_its_own() -> None:
    ring = KeyRing.parse(f"k2:{KEY},k1:{OTHER_KEY}")
    subkeys = {ring.subkey(purpose, kid=kid) for purpose in Purpose for kid in ("k1", "k2")}

    assert len(subkeys) == 2 * len(Purpose)
    assert {len(subkey) for subkey in subkeys} == {32}
    assert ring.subkey(Purpose.PIN) == ring.subkey(Purpose.PIN, kid="k2")
    with pytest.raises(KeyError):
        ring.subkey(Purpose.PIN, kid="k3")


def test_subkeys_never_change() -> None:
    # Every stored PIN tag hangs on these.
    subkey = KeyRing.parse(f"k1:{KEY}").subkey(Purpose.PIN)
    assert subkey.hex() == "ce6d0dda598f250c3cc7024f41dae2cb6d1ded91bd48264330d6e668673a2ad1"


def test_the_socket_is_beside_the_data_or_short() -> None:
    assert valkey_socket(Path("/srv/gateway")) == Path("/srv/gateway/valkey.sock")
    far = Path("/srv") / secrets.token_hex(60)
    assert len(str(valkey_socket(far))) <= socket_path_octets_max
    assert valkey_socket(far) == valkey_socket(far)
    assert valkey_socket(far) != valkey_socket(far / "other")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 80
