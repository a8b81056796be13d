"""Refusals that no transcript can bring about alone: somebody changes something meanwhile."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.world import GRACE, JUMA, NOBODY, Line, at_once, rows
from ussd_gateway.cli.stage.world import GatewayWorld, opened
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.transcripts import Transcript, parse, play
from ussd_gateway.store.database import writing


def test_a_fee_that_changed_since_it_was_shown_is_not_charged(
    settings: Settings, tmp_path: Path
) -> None:
    menus = tmp_path / "menus"
    shutil.copytree(settings.menus_dir, menus)
    tariff = menus / "tariffs" / "KE-2023-07.csv"
    tariff.write_text(
        tariff.read_text("utf-8").replace(",500.00,7.00,", ",500.00,8.00,"), "utf-8"
    )
    dearer = settings.model_copy(update={"menus_dir": menus})

    with opened(settings) as before, opened(dearer) as after:
        assert "Fee KES 7.00" in Line(before, "en").walks("1", "0711000002", "500")
        assert "Ada KES 7.00" in Line(before, "sw", JUMA).walks("1", "0711000001", "200")
        before.speak("Grace", "fr")
        assert "Frais KES 7.00" in Line(before, "fr", GRACE).walks("1", "0711000001", "200")

        assert Line(after, "en").sends("1", "0711000002", "500", "4826") == (
            "END Not sent: the fee has changed. Dial again to see the new fee. "
            "Nothing was charged."
        )
        assert Line(after, "sw", JUMA).sends("1", "0711000001", "200", "7391") == (
            "END Haikutumwa: ada imebadilika. Piga tena uone ada mpya. Hukutozwa."
        )
        assert Line(after, "fr", GRACE).sends("1", "0711000001", "200", "5937") == (
            "END Non envoyé : les frais ont changé. Rappelez pour les voir. "
            "Rien n'a été débité."
        )
        assert after.sms() == []
        assert "Fee KES 8.00" in Line(after, "again").walks("1", "0711000002", "500")


def test_whoever_is_blocked_is_told_after_the_pin_and_sees_no_payments(
    world: GatewayWorld,
) -> None:
    world.speak("Grace", "fr")
    at_pin = [Line(world, "en"), Line(world, "sw", JUMA), Line(world, "fr", GRACE)]
    at_pin[0].walks("1", "0711000003", "500")
    at_pin[1].walks("5", "1")
    at_pin[2].walks("5", "2")
    block(world)

    assert at_pin[0].sends("1", "0711000003", "500", "4826") == (
        "END Your account is blocked. Visit an agent with your ID. Nothing was charged."
    )
    assert at_pin[1].sends("5", "1", "7391") == (
        "END Akaunti yako imefungwa. Nenda kwa wakala na kitambulisho chako. Hukutozwa."
    )
    assert at_pin[2].sends("5", "2", "5937") == (
        "END Votre compte est bloqué. Allez chez un agent avec votre carte. "
        "Rien n'a été débité."
    )
    plays(
        world,
        """
        Amina dials *384#
          | CON Pesa
          | 5. My account
        Amina enters 1
          | CON Not an option. Try again.
          | Pesa
          | 5. My account
        Amina dials *384*1*0711000003*500#
          | CON Not an option. Try again.
          | Pesa
          | 5. My account
        sms
        """,
    )


def test_whoever_is_blocked_gets_no_money_and_looks_unregistered(world: GatewayWorld) -> None:
    grace = Line(world, "grace", GRACE)
    grace.walks("1", "0711000001", "500")
    block(world, but=GRACE)

    assert grace.sends("1", "0711000001", "500", "5937") == (
        "END Not sent: this number is not registered. Check the number and dial again. "
        "Nothing was charged."
    )
    assert grace.sends("1", "0711000001", "500", "5937") == Line(world, "new", GRACE).walks(
        "1", "0711000009", "500", "2"
    )


def test_a_number_that_is_given_up_meanwhile_pays_nothing(world: GatewayWorld) -> None:
    lines = [Line(world, "en"), Line(world, "sw", JUMA)]
    lines[0].walks("1", "0711000003", "500")
    lines[1].walks("1", "0711000003", "100")
    run(
        world, "UPDATE subscriber SET msisdn = '+25471100004' || id WHERE msisdn <> :but", GRACE
    )

    assert lines[0].sends("1", "0711000003", "500", "4826") == (
        "END This number is not registered. Dial again to register. Nothing was charged."
    )
    assert lines[1].sends("1", "0711000003", "100", "7391") == (
        "END Namba hii haijasajiliwa. Piga tena ujisajili. Hukutozwa."
    )
    assert world.sms() == []


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("1", "END This number is registered already. Dial again."),
        ("2", "END Namba hii imeshasajiliwa. Piga tena."),
        ("3", "END Ce numéro a déjà un compte. Rappelez."),
    ],
)
def test_a_number_that_registers_twice_at_once_is_registered_once(
    world: GatewayWorld, key: str, says: str
) -> None:
    way = (key, "Pendo Achieng", "12345678", "1", "9067", "9067")
    first, second = Line(world, "first", NOBODY), Line(world, "second", NOBODY)
    first.walks(*way[:-1])
    second.walks(*way[:-1])
    welcome = first.sends(*way)

    assert "Pendo Achieng" in welcome
    assert second.sends(*way) == says
    assert first.sends(*way) == welcome
    assert rows(world, "SELECT count(*) FROM registration") == [(1,)]
    assert len(world.sms()) == 1


def test_a_number_that_registers_by_two_processes_at_once_is_registered_once(
    settings: Settings,
) -> None:
    way = ("1", "Pendo Achieng", "12345678", "1", "9067", "9067")
    with opened(settings) as one, opened(settings) as other:
        # Both have the same chance: so that their sessions have keys of their own.
        Line(other, "further", GRACE).walks("1")
        first, second = Line(one, "first", NOBODY), Line(other, "second", NOBODY)
        first.walks(*way[:-1])
        second.walks(*way[:-1])
        answers = at_once(lambda: first.sends(*way), lambda: second.sends(*way))

        assert sorted(answer.partition(".")[0] for answer in answers) == [
            "END This number is registered already",
            "END Welcome, Pendo Achieng",
        ]
        assert [first.sends(*way), second.sends(*way)] == answers
        assert rows(one, "SELECT count(*) FROM registration") == [(1,)]


def test_no_code_is_sent_to_a_number_that_registers_while_the_pin_is_asked(
    world: GatewayWorld,
) -> None:
    way = ("1", "0711000009", "500", "1")
    world.speak("Grace", "fr")
    lines = [Line(world, "en"), Line(world, "sw", JUMA), Line(world, "fr", GRACE)]
    for line in lines:
        line.walks(*way)
    registers = ("1", "Pendo Achieng", "12345678", "1", "9067", "9067")
    assert "Pendo Achieng" in Line(world, "pendo", NOBODY).walks(*registers)

    assert lines[0].sends(*way, "4826") == (
        "END Not sent: this number is registered now. Dial again and send without a code. "
        "Nothing was charged."
    )
    assert lines[1].sends(*way, "7391") == (
        "END Haikutumwa: namba hii sasa imesajiliwa. Piga tena utume bila msimbo. Hukutozwa."
    )
    assert lines[2].sends(*way, "5937") == (
        "END Non envoyé : ce numéro est inscrit maintenant. Rappelez et envoyez sans code. "
        "Rien n'a été débité."
    )
    assert len(world.sms()) == 1


@pytest.mark.parametrize(
    ("language", "says"),
    [
        (
            "en",
            "END Not changed: it took too long. Dial again. Your PIN is as it was.",
        ),
        (
            "sw",
            "END Haikubadilishwa: umechukua muda mrefu. Piga tena. PIN yako ni ile ile.",
        ),
        (
            "fr",
            "END Pas de changement : le délai est passé. Rappelez. Votre PIN n'a pas changé.",
        ),
    ],
)
def test_a_pin_that_was_proved_long_ago_changes_nothing(
    world: GatewayWorld, language: str, says: str
) -> None:
    world.speak("Amina", language)
    line = Line(world, "slow")
    line.walks("5", "4", "4826")
    world.wait(timedelta(seconds=170))
    line.sends("5", "4", "4826", "8264")
    world.wait(timedelta(seconds=170))

    assert line.sends("5", "4", "4826", "8264", "8264") == says
    assert "5,000.00" in Line(world, "still").walks("5", "1", "4826")
    assert world.sms() == []


def test_while_the_database_takes_no_payment_the_service_is_busy_and_nothing_is_charged(
    world: GatewayWorld,
) -> None:
    lines = [Line(world, "en"), Line(world, "sw", JUMA)]
    lines[0].walks("1", "0711000002", "500")
    lines[1].walks("1", "0711000001", "200")
    run(world, "ALTER TABLE day_counter RENAME TO lost")

    assert lines[0].sends("1", "0711000002", "500", "4826") == (
        "END The service is busy. Please dial again later. Nothing was charged."
    )
    assert lines[1].sends("1", "0711000001", "200", "7391") == (
        "END Huduma ina shughuli nyingi. Tafadhali piga tena baadaye. Hukutozwa."
    )
    assert world.sms() == []


def block(world: GatewayWorld, *, but: str = "") -> None:
    run(world, "UPDATE subscriber SET active = false WHERE msisdn <> :but", but)


def run(world: GatewayWorld, statement: str, but: str = "") -> None:
    with writing(world.gateway.engine) as connection:
        connection.execute(text(statement), {"but": but})


def plays(world: GatewayWorld, said: str) -> None:
    transcript = parse(said, file="here")
    assert isinstance(transcript, Transcript), transcript
    assert not (found := play(transcript, world).differences), "\n".join(map(str, found))
