"""The services, bound to the doors they need, and the actions by which menus name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Engine

from ussd_gateway.app import files
from ussd_gateway.carriers.airtime import AfricasTalkingAirtime
from ussd_gateway.carriers.camara import CamaraBilling
from ussd_gateway.domain.tariff import PriceBook
from ussd_gateway.ports import Action, BooksLost, Carrier, Clock, Ledger, Random, Reads
from ussd_gateway.services import (
    answer_sms,
    cash,
    choose_caps,
    choose_pin,
    pay,
    pins,
    register,
    send_money,
)
from ussd_gateway.services.balance import BalanceService
from ussd_gateway.services.cash import CashService
from ussd_gateway.services.check_receipt import CheckReceiptService
from ussd_gateway.services.choose_caps import ChooseCapsService
from ussd_gateway.services.choose_language import ChooseLanguageService
from ussd_gateway.services.choose_pin import ChoosePinService
from ussd_gateway.services.money_back import answer_ask, ask_back
from ussd_gateway.services.money_back.answer_ask import AnswerAskService
from ussd_gateway.services.money_back.ask_back import AskBackService
from ussd_gateway.services.orders import reverse
from ussd_gateway.services.pay import PayService
from ussd_gateway.services.purchases import buy_airtime, buy_content
from ussd_gateway.services.purchases.buy_airtime import Airtime, BuyAirtimeService
from ussd_gateway.services.purchases.buy_content import BuyContentService, Content
from ussd_gateway.services.purchases.fulfilment import Fulfilment
from ussd_gateway.services.register import RegisterService
from ussd_gateway.services.send_money import SendMoneyService
from ussd_gateway.services.teller import Teller
from ussd_gateway.services.vouchers import cash_voucher, give_back_voucher, send_voucher
from ussd_gateway.services.vouchers.cash_voucher import CashVoucherService
from ussd_gateway.services.vouchers.send_voucher import SendVoucherService
from ussd_gateway.settings import Purpose, Settings
from ussd_gateway.store.inquiry import SqlRecords
from ussd_gateway.store.numbers import AccountNumbers
from ussd_gateway.store.pins import HmacPinVerifier, HmacTickets
from ussd_gateway.store.receipts import SqlReceipts
from ussd_gateway.store.waiting.purchases import SqlPurchases
from ussd_gateway.store.waiting.vouchers import SqlVouchers

# Every SMS that a service sends.
TEMPLATES = frozenset().union(
    *(
        each.TEMPLATES
        for each in (
            pins,
            send_money,
            send_voucher,
            cash_voucher,
            give_back_voucher,
            pay,
            cash,
            buy_airtime,
            buy_content,
            choose_pin,
            choose_caps,
            register,
            ask_back,
            answer_ask,
            reverse,
            answer_sms,
        )
    )
)


@dataclass(frozen=True, slots=True)
class Carriers:
    """Whoever outside is asked."""

    billing: Carrier
    airtime: Carrier


@dataclass(frozen=True, slots=True)
class Services:
    actions: Mapping[str, Action]
    fulfilment: Fulfilment
    prices: PriceBook  # to be stored before anything is paid by it
    teller: Teller
    checking: CheckReceiptService
    asking_back: AskBackService


def carriers(settings: Settings, reads: Reads) -> Carriers:
    return Carriers(
        CamaraBilling(
            base_url=settings.carrier_base_url,
            token=settings.carrier_token,
            merchant_name=lambda number: _name(reads, number),
        ),
        AfricasTalkingAirtime(
            username=settings.at_username,
            api_key=settings.at_api_key,
            base_url=settings.at_base_url,
        ),
    )


def services(
    settings: Settings,
    *,
    engine: Engine,
    reads: Reads,
    ledger: Ledger,
    clock: Clock,
    random: Random,
    outside: Carriers | None = None,
) -> Services:
    """Connects nothing yet. `outside`: whoever is asked in the place of the carriers of the
    settings. Raises Faulty."""
    asked = outside or carriers(settings, reads)
    ring, market = settings.pin_key, files.market(settings)
    prices = files.prices(settings, clock)
    teller = Teller(
        reads,
        ledger,
        HmacPinVerifier(lambda kid: ring.subkey(Purpose.PIN, kid=kid)),
        clock,
        market,
        prices,
        files.limits(settings),
    )
    fulfilment = Fulfilment(
        teller,
        SqlPurchases(engine, clock),
        {
            buy_airtime.KIND: Airtime(asked.airtime, market),
            buy_content.KIND: Content(asked.billing, reads),
        },
    )
    tickets, numbers = HmacTickets(ring.subkey(Purpose.TICKET)), AccountNumbers(engine)
    checking = CheckReceiptService(teller, SqlReceipts(engine))
    records = SqlRecords(engine)
    asking_back = AskBackService(teller, records, numbers)
    choosing = ChoosePinService(teller, tickets, numbers, random, kid=ring.current_kid)
    offered = (
        SendMoneyService(teller),
        SendVoucherService(teller, numbers, random, kid=ring.current_kid),
        CashVoucherService(teller, SqlVouchers(engine), tickets),
        PayService(teller),
        CashService(teller),
        BuyAirtimeService(teller, fulfilment),
        BuyContentService(teller, fulfilment, files.catalogue(settings)),
        BalanceService(teller),
        ChooseLanguageService(teller),
        ChooseCapsService(teller),
        choosing,
        RegisterService(teller, choosing),
        checking,
        asking_back,
        AnswerAskService(teller, records, numbers),
    )
    every = chain.from_iterable(service.actions() for service in offered)
    actions = {action.name: action for action in every}
    return Services(actions, fulfilment, prices, teller, checking, asking_back)


def _name(reads: Reads, number: str) -> str | None:
    """A charge does not wait for its merchant's name."""
    try:
        found = reads.business(number)
    except BooksLost:
        return None
    return found.name if found else None
