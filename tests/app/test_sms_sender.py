"""Who carries our SMS, from the operators' file and the environment to the phone and back."""

import shutil
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import OperationalError

from tests.embedded.processes import eventually
from tests.store.outbox.owing import states
from tests.test_settings import PRODUCTION
from ussd_gateway import app
from ussd_gateway.app.answering import answering
from ussd_gateway.app.chance import SystemClock, SystemRandom
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DeliveryReport, Sms, SmsState
from ussd_gateway.settings import Settings, load
from ussd_gateway.simulators.main import create_app
from ussd_gateway.simulators.smsc import Smsc
from ussd_gateway.sms.smpp.incoming import Texted
from ussd_gateway.store.codec import encode_values
from ussd_gateway.store.database import reading
from ussd_gateway.store.outbox import Outbox
from ussd_gateway.store.schema import idempotency
from ussd_gateway.store.schema import outbox as table
from ussd_gateway.worker.sending import Sending

AMINA = Msisdn("+254711000001")
SHORT_CODE = "20384"
BY_SMPP = '"+": [smpp]'


@pytest.fixture
def menus(tmp_path: Path) -> Path:
    return Path(shutil.copytree("menus", tmp_path / "menus"))


def lead(menus: Path, route: str) -> None:
    path = menus / "providers.yaml"
    source = path.read_text("utf-8")
    assert '"+": [africastalking]' in source
    path.write_text(source.replace('"+": [africastalking]', route), "utf-8")


def faults(settings: Settings) -> str:
    with pytest.raises(app.Faulty) as raised:
        app.sms_plan(settings)
    return "\n".join(raised.value.faults)


# --- what is refused at start


def test_what_ships_is_served(menus: Path, tmp_path: Path) -> None:
    settings = Settings(menus_dir=menus, data_dir=tmp_path)
    with app.sms_sender(settings, report=print) as sender:
        assert sender is not None
    assert app.sms_plan(settings).pool == 60


def test_a_slip_is_told_with_its_line(menus: Path) -> None:
    lead(menus, '"+": [africatalking]')
    assert faults(Settings(menus_dir=menus)).startswith("menus/providers.yaml:")


def test_an_smsc_that_nobody_has_named_is_asked_for(menus: Path) -> None:
    lead(menus, BY_SMPP)
    told = faults(Settings(menus_dir=menus))
    assert "its account is not there" in told
    assert "SMPP_PORT" in told
    assert app.sms_plan(Settings(menus_dir=menus, smpp_port=2775)).routed == ("smpp",)


def test_production_has_no_smsc_but_the_one_that_is_named(menus: Path) -> None:
    lead(menus, BY_SMPP)
    production = PRODUCTION | {"MENUS_DIR": str(menus), "SMPP_PORT": "2775"}
    assert "SMPP_HOST" in faults(load(production))
    named = {"SMPP_HOST": "10.1.2.3", "SMPP_SYSTEM_ID": "jirani", "SMPP_PASSWORD": "dawn"}
    assert app.sms_plan(load(production | named)).routed == ("smpp",)


def test_production_leads_nobody_into_a_file(menus: Path) -> None:
    path = menus / "providers.yaml"
    terms = "providers:\n  file: {rate_per_s: 1, answers_within: 1ms}\n"
    path.write_text(path.read_text("utf-8").replace("providers:\n", terms, 1), "utf-8")
    lead(menus, '"+": [africastalking, file]')
    assert app.sms_plan(Settings(menus_dir=menus)).routed == ("africastalking", "file")
    assert "nobody would get their SMS" in faults(load(PRODUCTION | {"MENUS_DIR": str(menus)}))


# --- through the simulated SMSC


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[Smsc]:
    """Of a simulator whose phones are in `tmp_path`."""
    simulator = create_app(
        gateway_url="http://127.0.0.1:9",
        callback_token="dev",
        username="sandbox",
        api_key="demo",
        data_dir=tmp_path,
        people=(),
        smsc_port=0,
        report_delay_s=0.05,
    )
    yield simulator.extensions["smsc"]
    simulator.extensions["smsc"].close()
    simulator.extensions["reporter"].close()


@pytest.fixture
def settings(menus: Path, tmp_path: Path, smsc: Smsc) -> Settings:
    lead(menus, BY_SMPP)
    made = Settings(menus_dir=menus, data_dir=tmp_path, smpp_port=smsc.port)
    app.upgrade(made)
    app.seed_demo(made, clock=SystemClock(), random=SystemRandom(SystemClock()))
    return made


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    made = app.database(settings)
    yield made
    made.dispose()


def test_a_message_goes_out_by_smpp_and_its_report_comes_back(
    settings: Settings, engine: Engine
) -> None:
    outbox = Outbox(engine, SystemClock())
    with engine.begin() as connection:
        connection.execute(insert(table).values(_pin_locked()))
    with app.sms_sender(settings, report=outbox.report) as sender:
        sending = Sending(
            outbox,
            sender,
            app.messages(settings),
            app.market(settings),
            plan=app.sms_plan(settings),
            width=2,
        )
        sending.send(outbox.take_due(rows_max=1, in_flight_max=4))
        assert eventually(lambda: states(engine) == {"delivered": 1})
        sending.close()
    with reading(engine) as connection:
        assert connection.execute(select(table.c.provider)).scalar() == "smpp"


def test_a_report_comes_again_while_the_database_is_away(settings: Settings) -> None:
    told: list[DeliveryReport] = []
    away = threading.Event()
    away.set()

    def report(found: DeliveryReport) -> None:
        if away.is_set():
            away.clear()
            raise OperationalError("UPDATE outbox", {}, Exception("the database is away"))
        told.append(found)

    with app.sms_sender(settings, report=report) as sender:
        assert sender.send(Sms(AMINA, "Hello")).state is SmsState.ACCEPTED
        assert eventually(lambda: [one.final for one in told].count(True) == 1)
        assert eventually(lambda: len(told) == 2)


# --- what people text to us


def test_an_sms_to_us_over_smpp_is_answered_and_the_answer_goes_out(
    settings: Settings, engine: Engine, smsc: Smsc
) -> None:
    outbox = Outbox(engine, SystemClock())
    with app.sms_sender(settings, report=outbox.report) as sender:
        smsc.text(AMINA, SHORT_CODE, "Bal.")
        assert eventually(lambda: templates(engine) == ["asked_balance"])
        sending = Sending(
            outbox,
            sender,
            app.messages(settings),
            app.market(settings),
            plan=app.sms_plan(settings),
            width=2,
        )
        sending.send(outbox.take_due(rows_max=1, in_flight_max=4))
        sending.close()
    with reading(engine) as connection:
        said, to = connection.execute(select(table.c.text, table.c.msisdn)).one()
    assert "KES" in said
    assert to == AMINA


def test_an_sms_that_comes_again_within_a_minute_is_answered_once(
    settings: Settings, engine: Engine
) -> None:
    take(settings, "BAL")
    take(settings, "BAL", after_s=50)
    assert templates(engine) == ["asked_balance"]


def test_two_minutes_later_the_same_words_are_another_question(
    settings: Settings, engine: Engine
) -> None:
    take(settings, "BAL")
    take(settings, "BAL", after_s=121)
    assert templates(engine) == ["asked_balance"] * 2


def test_a_pin_that_was_texted_over_smpp_is_warned_of_and_kept_nowhere(
    settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    take(settings, "BAL 4826")
    assert templates(engine) == ["asked_pin"]
    with reading(engine) as connection:
        kept = [tuple(row) for row in connection.execute(select(table))]
        kept += [tuple(row) for row in connection.execute(select(idempotency))]
    assert "BAL 4826" not in repr(kept) + "".join(capsys.readouterr())
    assert sha256(b"BAL 4826").hexdigest()[:16] not in repr(kept)


def test_while_the_database_is_away_it_is_not_taken(settings: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE subscriber RENAME TO away"))
    assert not take(settings, "BAL")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO subscriber"))
    assert take(settings, "BAL")
    assert templates(engine) == ["asked_balance"]


def take(settings: Settings, words: str, *, after_s: int = 0) -> bool:
    """As a worker that was started anew so many seconds later."""
    mark = f"{AMINA} {words}".encode()
    with answering(settings.model_copy(update={"clock_offset_s": after_s})) as taken:
        return taken(Texted(AMINA, SHORT_CODE, words, mark))


def templates(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(table.c.template)).scalars())


def _pin_locked() -> dict[str, object]:
    return {
        "key": "key of Amina",
        "msisdn": AMINA,
        "template": "pin_locked",
        "language": "en",
        "params": encode_values({}),
        "event_at_ms": int(SystemClock().now().timestamp() * 1000),
        "state": "due",
        "attempt": 0,
        "next_at_ms": 0,
    }
