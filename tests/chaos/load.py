"""Payment after payment from several phones at once, while something else goes wrong."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

from tests.endtoend.phones import AMINA, GRACE, JUMA, Payer, Payment, Person
from tests.endtoend.running import eventually

PEOPLE = (AMINA, JUMA, GRACE)
# The dearest payment each begins, in shillings: so that money lasts, and some pay a fee.
DEAREST = {AMINA: 150, JUMA: 20, GRACE: 300}


class Load:
    """What was paid so far, by phones that go on until they are told to stop."""

    def __init__(self, callback_url: str, *, phones: int, rest_s_max: float, seed: int) -> None:
        self.payments: list[Payment] = []
        self._callback_url = callback_url
        self._phones = phones
        self._rest_s_max = rest_s_max
        self._seed = seed
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """At the end each phone ends the payment that it has begun."""
        with ThreadPoolExecutor(self._phones, thread_name_prefix="phone") as pool:
            phones = [pool.submit(self._phone, number) for number in range(self._phones)]
            try:
                yield
            finally:
                self._stopping.set()
            for phone in phones:
                phone.result()

    def paid_since(self, moment: float, *, within_s: float) -> bool:
        """Waits for a receipt that came after `moment`, in seconds since 1970."""

        def paid() -> bool:
            newest = self.payments[-self._phones :]
            return any(one.acknowledged and one.at > moment for one in newest)

        return eventually(paid, within_s=within_s)

    def _phone(self, number: int) -> None:
        random = Random(f"{self._seed} phone {number}")
        person = PEOPLE[number % len(PEOPLE)]
        others: Sequence[Person] = [one for one in PEOPLE if one != person]
        payer = Payer(self._callback_url, person)
        while not self._stopping.wait(random.uniform(0, self._rest_s_max)):
            shillings = random.randint(1, DEAREST[person])
            self.payments.append(payer.pay(random.choice(others), shillings))
