"""The main job, as a person does it, on everything at once and for real."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.endtoend import promises
from tests.endtoend.phones import AMINA, JUMA
from tests.endtoend.running import eventually, gateway
from ussd_gateway.domain.receipt import is_well_formed
from ussd_gateway.simulators.handset import Handset

# On a busy machine. On an idle one it is a tenth of a second.
sms_within_s = 15.0


def test_amina_sends_juma_500_and_both_get_their_sms(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with gateway(tmp_path / "var") as it:
        amina = Handset(it.callback_url, AMINA.msisdn)
        assert amina.dial("*384#").text.startswith("Pesa\n1. Send money\n2. Withdraw cash\n")
        assert amina.enter("1").text == "Enter phone number"
        assert amina.enter("0711000002").text == "Enter amount"
        assert amina.enter("500").text == (
            "Send KES 500.00 to Juma Otieno 0711000002\n"
            "Fee KES 7.00 Total KES 507.00\n"
            "Enter PIN"
        )
        end = amina.enter(AMINA.pin)
        ended = time.monotonic()
        receipt = end.text.partition(" ")[0]
        assert end.ends
        assert is_well_formed(receipt)
        assert "Balance KES 4,493.00" in end.text

        def told() -> bool:
            return all(it.messages(person.msisdn) for person in (AMINA, JUMA))

        assert eventually(told, within_s=sms_within_s)
        record_property("end_to_sms_s", round(time.monotonic() - ended, 2))
        (sent,), (received,) = it.messages(AMINA.msisdn), it.messages(JUMA.msisdn)
        assert sent["text"].startswith(f"{receipt} Sent KES 500.00 to Juma Otieno 0711***002 ")
        assert received["text"].startswith(f"{receipt} Umepokea KES 500.00 kutoka kwa Amina ")
        assert received["text"].endswith("Salio KES 750.00.")
        assert eventually(lambda: promises.owed(it) == {"delivered": 2}, within_s=sms_within_s)

        juma = Handset(it.callback_url, JUMA.msisdn)
        assert juma.dial("*384#").text.startswith("Pesa\n1. Tuma pesa\n2. Toa pesa\n")
        assert juma.text(f"hakiki {receipt}") == ""
        assert eventually(lambda: len(it.messages(JUMA.msisdn)) == 2, within_s=sms_within_s)
        told_again = it.messages(JUMA.msisdn)[-1]["text"]
        assert told_again.startswith(f"{receipt} KES 500.00 zilikuja kwako kutoka Amina ")

        assert it.balance(AMINA.msisdn) == "4493.00"
        assert it.balance(JUMA.msisdn) == "750.00"
        verified = it.command("ledger", "verify")
        assert verified.returncode == 0, verified.stdout
