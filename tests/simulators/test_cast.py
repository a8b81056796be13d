from pathlib import Path

from ussd_gateway.simulators.cast import read_cast
from ussd_gateway.simulators.main import PEOPLE


def test_the_phones_offer_the_demo_cast_customers_first() -> None:
    people = [one for one in read_cast(PEOPLE) if not one.group]
    assert [(one.name, one.msisdn, one.hint, one.code) for one in people] == [
        (
            "Amina Wafula",
            "+254711000001",
            "PIN 4826, English, starts with KES 5,000.00",
            "*384#",
        ),
        (
            "Juma Otieno",
            "+254711000002",
            "PIN 7391, Kiswahili, starts with KES 250.00",
            "*384#",
        ),
        (
            "Grace Njoki",
            "+254711000003",
            "PIN 5937, English, starts with KES 120,000.00",
            "*384#",
        ),
        ("Nobody we know", "+254711000009", "Not registered", "*384#"),
        ("Wanjiru", "+254722000001", "PIN 6174, assistant", "*385#"),
        ("Odongo", "+254722000009", "PIN 8265, super-agent", "*385#"),
    ]


def test_businesses_come_last_in_a_group_of_their_own() -> None:
    people = read_cast(PEOPLE)[-3:]
    assert [(one.name, one.msisdn, one.hint, one.code) for one in people] == [
        ("Otieno Hardware", "+254733000001", "Paid by till 500500", "*384#"),
        ("Maji Water", "+254733000002", "Paid by pay bill 600600", "*384#"),
        ("Tamu Content", "+254733000003", "Paid on the phone bill, 700700", "*384#"),
    ]
    assert {one.group for one in people} == {"Business"}


def test_without_the_file_there_is_nobody_to_offer(tmp_path: Path) -> None:
    assert read_cast(tmp_path / "people.yaml") == ()
