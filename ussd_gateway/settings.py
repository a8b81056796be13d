"""The environment as one frozen value: what each variable is, its default, what it may not be.

With nothing set, everything has the demo's value. `APP_ENV=production` has no secret defaults:
each must be given, and the demo's are refused. `load` reads everything before it complains, so
that one try shows all that is wrong.

The keys of PIN_KEY are never used themselves: `KeyRing.subkey` derives one for each purpose.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

IpNetwork = IPv4Network | IPv6Network

DEMO_PIN_KEY = "demo:" + hashlib.sha256(b"everybody knows this key").hexdigest()
DEMO_TOKEN = "dev"
DEMO_AT_USERNAME = "sandbox"
DEMO_AT_API_KEY = "demo"
DEMO_CARRIER_TOKEN = "demo"
DEMO_SMPP_SYSTEM_ID = "gateway"
DEMO_SMPP_PASSWORD = "demo"
NEW_PIN_KEY = "make one: PIN_KEY=k1:$(openssl rand -hex 32)"
NEW_TOKEN = "make one: CALLBACK_TOKENS=$(openssl rand -hex 16)"
AT_BASE_URL = "https://api.africastalking.com"
NEW_CARRIER = "the carrier gives you CARRIER_BASE_URL and CARRIER_TOKEN"
NEW_SMPP = "the carrier gives you SMPP_HOST, SMPP_PORT, SMPP_SYSTEM_ID and SMPP_PASSWORD"

token_characters_min = 16
tokens_max = 2
key_octets_min = 32
# A path of a unix socket has 108 octets with its closing zero (104 on some systems).
socket_path_octets_max = 103


# No default of its own: a validator gives the demo's value, or asks for one.
_UNSET: Any = None


class SettingsFault(Exception):
    """The environment cannot be used. `faults` are whole lines for a person, one a fault."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Purpose(Enum):
    """What a derived key is for. The values are part of the derivation: never change one."""

    PIN = "pin verifier"
    RECEIPT = "receipt permutation"
    SESSION = "session input"
    TICKET = "ticket between hops"
    TEXTED = "name of an SMS that has none"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by name. The first is the current one; the others still open what they closed."""

    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        assert self.keys, "a key ring has a key"

    @classmethod
    def parse(cls, text: str) -> Self:
        """`kid:hex[,kid:hex]`. Raises ValueError, which never shows a key."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            match = re.fullmatch(r"([a-z0-9-]{1,16}):((?:[0-9a-f]{2})+)", part.strip().lower())
            if match is None or len(match[2]) < 2 * key_octets_min:
                raise ValueError(
                    f"write name:hex, {key_octets_min} octets or more, several with commas; "
                    f"{NEW_PIN_KEY}"
                )
            if match[1] in keys:
                raise ValueError(f"two keys are named {match[1]!r}: rename one")
            keys[match[1]] = bytes.fromhex(match[2])
        return cls(keys)

    @property
    def current_kid(self) -> str:
        return next(iter(self.keys))

    def subkey(self, purpose: Purpose, *, kid: str | None = None) -> bytes:
        """32 octets for one purpose, from the key `kid` (None: the current one).

        Raises KeyError for a key that is not on the ring."""
        secret = self.keys[kid or self.current_kid]
        return hmac.digest(secret, f"ussd-gateway {purpose.value}".encode(), "sha256")


def _words(value: object) -> object:
    if isinstance(value, str):
        return tuple(word for word in re.split(r"[\s,]+", value) if word)
    return value


def _networks(value: object) -> object:
    words = _words(value)
    if not isinstance(words, tuple):
        return words
    try:
        return tuple(ip_network(word) for word in words)
    except ValueError as error:
        raise ValueError(f"{error}; list addresses like 10.1.2.3 or 10.1.0.0/16") from None


def _folder(value: object) -> object:
    # os.path, unlike Path, leaves a `~name` that nobody has as it is.
    if not isinstance(value, str | Path):
        return value
    return Path(os.path.expanduser(value)).resolve()  # noqa: PTH111


def _key_ring(value: object, info: ValidationInfo) -> object:
    ring = KeyRing.parse(value) if isinstance(value, str) else value
    demo = KeyRing.parse(DEMO_PIN_KEY).keys.values()
    known = isinstance(ring, KeyRing) and any(key in demo for key in ring.keys.values())
    if known and _in_production(info):
        raise ValueError(f"production needs its own; {NEW_PIN_KEY}")
    return ring


def _other_port(value: object, info: ValidationInfo) -> object:
    if value == info.data.get("port"):
        raise ValueError("is the same as PORT; choose another")
    return value


def _third_port(value: object, info: ValidationInfo) -> object:
    for name in ("port", "sim_port"):
        if value is not None and value == info.data.get(name) and not _in_production(info):
            raise ValueError(f"is the same as {name.upper()}; choose another")
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _in_production(info: ValidationInfo) -> bool:
    return info.data.get("app_env") == "production"


def _demo_only(value: object, info: ValidationInfo) -> object:
    if _in_production(info) and value is not None:
        raise ValueError("is for the demo only; unset it")
    return value


def _own(demo: object, ask: str) -> BeforeValidator:
    """Unset it is `demo`; production refuses both, and asks."""

    def check(value: object, info: ValidationInfo) -> object:
        if not _in_production(info):
            return demo if value is None else value
        if value is None or value == demo:
            raise ValueError(f"production needs its own; {ask}")
        return value

    return BeforeValidator(check)


def _explained(advice: str) -> WrapValidator:
    """Says `advice` in the place of pydantic's own words."""

    def check(value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError:
            raise ValueError(advice) from None

    return WrapValidator(check)


def _check_tokens(value: object, info: ValidationInfo) -> object:
    words = _words(value)
    if not isinstance(words, tuple) or not 1 <= len(words) <= tokens_max:
        raise ValueError(f"give one token, or {tokens_max} while you change it; {NEW_TOKEN}")
    if not all(re.fullmatch(r"[A-Za-z0-9_-]+", word) for word in words):
        raise ValueError(f"a token is made of letters, digits, _ and -; {NEW_TOKEN}")
    if _in_production(info) and any(len(word) < token_characters_min for word in words):
        raise ValueError(
            f"production tokens have {token_characters_min} characters or more; {NEW_TOKEN}"
        )
    return words


def _check_database_url(value: object, info: ValidationInfo) -> object:
    advice = "write postgresql://user:password@host/name or sqlite:////folder/file"
    if value is None and not _in_production(info):
        return f"sqlite:///{info.data['data_dir'] / 'gateway.sqlite'}"
    if value is None:
        raise ValueError(f"production names its database; {advice}")
    if urlsplit(str(value)).scheme.partition("+")[0] not in ("postgresql", "sqlite"):
        raise ValueError(advice)
    return value


def _check_redis_url(value: object, info: ValidationInfo) -> object:
    advice = "write redis://host:6379/0, rediss://host:6379/0 or unix:///path"
    if value is None and not _in_production(info):
        return f"unix://{quote(str(valkey_socket(info.data['data_dir'])))}"
    if value is None:
        raise ValueError(f"production names its Redis or Valkey; {advice}")
    if urlsplit(str(value)).scheme not in ("redis", "rediss", "unix"):
        raise ValueError(advice)
    return value


def _check_at_base_url(value: object, info: ValidationInfo) -> object:
    if value is None:
        simulator = f"http://127.0.0.1:{info.data.get('sim_port')}"
        return AT_BASE_URL if _in_production(info) else simulator
    return _provider_url(value, info, example=AT_BASE_URL)


def _check_carrier_base_url(value: object, info: ValidationInfo) -> object:
    simulator = f"http://127.0.0.1:{info.data.get('sim_port')}/carrier"
    if _in_production(info) and value in (None, simulator):
        raise ValueError(f"production needs its own; {NEW_CARRIER}")
    if value is None:
        return simulator
    return _provider_url(value, info, example="https://api.carrier.example")


def _provider_url(value: object, info: ValidationInfo, *, example: str) -> str:
    url = urlsplit(str(value))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"write an address like {example}")
    if not _in_production(info) and not _is_loopback(url.hostname):
        raise ValueError("the demo sends to its simulator only; unset it")
    if _in_production(info) and url.scheme == "http" and not _is_loopback(url.hostname):
        raise ValueError("our key would travel unencrypted; write https://")
    return str(value).rstrip("/")


def _check_smpp_host(value: object, info: ValidationInfo) -> object:
    if _in_production(info):
        return value
    if value is not None and not _is_loopback(str(value)):
        raise ValueError("the demo sends to its simulator only; unset it")
    return value or "127.0.0.1"


def _of_smpp(demo: str, length_max: int) -> BeforeValidator:
    """In the demo unset it is `demo`, which production refuses. SMPP itself would cut what is
    longer, and nobody would see why it is not let in."""

    def check(value: object, info: ValidationInfo) -> object:
        if value is None:
            return None if _in_production(info) else demo
        if _in_production(info) and value == demo:
            raise ValueError(f"production needs its own; {NEW_SMPP}")
        text = str(value)
        if not (text.isascii() and text.isprintable() and len(text) <= length_max):
            raise ValueError(f"SMPP takes at most {length_max} plain characters; {NEW_SMPP}")
        return value

    return BeforeValidator(check)


def _check_smpp_tls(value: object, info: ValidationInfo) -> object:
    """On a private line it may be off, if somebody says so."""
    if value is None:
        return _in_production(info)
    if value not in ("on", "off"):
        raise ValueError("write on or off")
    return value == "on"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Port = Annotated[int, Field(ge=1, le=65535), _explained("give a number from 1 to 65535")]
Seconds = Annotated[int, _explained("give whole seconds, for example 86400")]
Number = Annotated[int, _explained("give a whole number, for example 7")]
Folder = Annotated[Path, BeforeValidator(_folder)]
Networks = Annotated[tuple[IpNetwork, ...], BeforeValidator(_networks)]


class Settings(BaseModel):
    """Each field is the environment variable of its name. In the order in which they lean on
    each other. Built by hand in tests: what is not given has the demo's value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True
    )

    app_env: Annotated[
        Literal["demo", "production"], _explained("write APP_ENV=demo or APP_ENV=production")
    ] = "demo"
    data_dir: Folder = Path("var")
    menus_dir: Folder = Path("menus")
    port: Port = 8000
    sim_port: Annotated[Port, AfterValidator(_other_port)] = 8100

    database_url: Annotated[str, BeforeValidator(_check_database_url)] = Field(
        default=_UNSET, repr=False
    )
    redis_url: Annotated[str, BeforeValidator(_check_redis_url)] = Field(
        default=_UNSET, repr=False
    )

    pin_key: Annotated[
        KeyRing,
        BeforeValidator(_key_ring),
        _own(DEMO_PIN_KEY, NEW_PIN_KEY),
    ] = Field(default=_UNSET, repr=False)
    callback_tokens: Annotated[
        tuple[str, ...],
        BeforeValidator(_check_tokens),
        _own(DEMO_TOKEN, NEW_TOKEN),
    ] = Field(default=_UNSET, repr=False)
    allowed_ips: Annotated[
        Networks,
        _own("127.0.0.0/8,::1", "list the aggregator's addresses: ALLOWED_IPS=10.1.0.0/16,..."),
    ] = _UNSET
    trusted_proxies: Networks = ()

    at_username: Annotated[
        str, _own(DEMO_AT_USERNAME, "AT_USERNAME is your account's name at Africa's Talking")
    ] = _UNSET
    at_api_key: Annotated[
        str, _own(DEMO_AT_API_KEY, "AT_API_KEY is made in your account at Africa's Talking")
    ] = Field(default=_UNSET, repr=False)
    at_base_url: Annotated[str, BeforeValidator(_check_at_base_url)] = _UNSET
    carrier_base_url: Annotated[str, BeforeValidator(_check_carrier_base_url)] = _UNSET
    carrier_token: Annotated[str, _own(DEMO_CARRIER_TOKEN, NEW_CARRIER)] = Field(
        default=_UNSET, repr=False
    )

    # Only where menus/providers.yaml leads to smpp. In the demo SMPP_PORT starts its SMSC.
    smpp_host: Annotated[str | None, BeforeValidator(_check_smpp_host)] = None
    smpp_port: Annotated[Port | None, AfterValidator(_third_port)] = None
    smpp_system_id: Annotated[str | None, _of_smpp(DEMO_SMPP_SYSTEM_ID, 15)] = None
    smpp_password: Annotated[str | None, _of_smpp(DEMO_SMPP_PASSWORD, 8)] = Field(
        default=None, repr=False
    )
    smpp_tls: Annotated[bool, BeforeValidator(_check_smpp_tls)] = _UNSET

    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(_lower),
        _explained("write one of debug, info, warning, error"),
    ] = "info"
    clock_offset_s: Annotated[Seconds | None, BeforeValidator(_demo_only)] = None
    seed: Annotated[Number | None, BeforeValidator(_demo_only)] = None

    @property
    def production(self) -> bool:
        return self.app_env == "production"

    @property
    def embeds_database(self) -> bool:
        """The database is the SQLite file in `data_dir`."""
        return "database_url" not in self.model_fields_set

    @property
    def embeds_valkey(self) -> bool:
        """The demo starts its own Valkey, on the socket of `redis_url`."""
        return "redis_url" not in self.model_fields_set


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; a variable that is set but empty counts as unset.

    Raises SettingsFault."""
    environ = os.environ if environ is None else environ
    given: dict[str, Any] = {
        name: environ[name.upper()]
        for name in Settings.model_fields
        if environ.get(name.upper())
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsFault(
            tuple(
                f"{str(fault['loc'][0]).upper()}: {fault['ctx']['error']}"
                for fault in error.errors(include_url=False)
            )
        ) from None


def valkey_socket(data_dir: Path) -> Path:
    """Where the embedded Valkey of `data_dir` listens: beside its files, or, where that path is
    too long for a socket, in a short folder named after it. The same for every process."""
    near = data_dir / "valkey.sock"
    if len(os.fsencode(near)) <= socket_path_octets_max:
        return near
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    # Not TMPDIR, which differs from one shell to the next. Its owner is checked at start.
    return Path("/tmp") / f"ussd-gateway-{os.getuid()}-{digest}" / near.name  # noqa: S108
