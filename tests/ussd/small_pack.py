"""The smallest pack that has a state of every kind and breaks no rule."""

from tests.ussd.stand_in import MONEY_MAX
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import Action, Answer, Call, Effect, VarType
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.reading.loader import load_pack

RIGHT = """\
schema: 1
pack: small
entry: start
languages: [en, sw]
profile: gsm7-160
nav: {back: "0", home: "00", more: "98", prev: "97"}
session: {idle: 3m, max_hops: 40, resume: {window: 5m, mode: ask}}
vars:
  to: {type: msisdn, region: KE}
  amount: {type: money, currency: KES}
  quote: {type: record, fields: {name: text(20), fee: money, payee: id}}
shortcuts:
  "1*{to}*{amount}": ask_quote
notices:
  bad_choice: {en: No such option., sw: Chaguo si sahihi.}
  bad_number: {en: Not a number., sw: Si namba.}
  bad_amount: {en: Not an amount., sw: Si kiasi.}
  bad_digits: {en: "Type {digits} digits.", sw: "Andika tarakimu {digits}."}
  bad_text: {en: Not a name., sw: Si jina.}
  bad_pin: {en: "{digits} digits.", sw: "Tarakimu {digits}."}
  too_many_tries: {en: Too many tries., sw: Mara nyingi mno.}
  too_many_hops: {en: Too long., sw: Ndefu mno.}
  dial_again: {en: Dial again. Nothing was charged., sw: Piga tena. Hukutozwa.}
  pin_dialled: {en: Never dial a PIN., sw: Usipige PIN.}
  checking: {en: Wait for the SMS., sw: Subiri SMS.}
  not_now: {en: Stopped for now., sw: Imesimama kwa sasa.}
  menu_changed: {en: The menu changed., sw: Menyu imebadilika.}
  resume: {en: "1. Continue\\n2. Start again", sw: "1. Endelea\\n2. Anza upya"}
  back: {en: Back, sw: Rudi}
  more: {en: More, sw: Zaidi}
  prev: {en: Previous, sw: Nyuma}
states:
  start:
    decide:
      - {when: me.registered, go: home}
      - {go: stranger}
  home:
    menu:
      text: {en: Home, sw: Nyumbani}
      options:
        - {key: "1", text: {en: Send, sw: Tuma}, go: ask_to, when: me.can_send}
        - {key: "2", text: {en: Stop, sw: Acha}, go: stopped}
  ask_to:
    input:
      text: {en: Number, sw: Namba}
      into: to
      check:
        - {unless: to != me.msisdn, say: {en: Your own., sw: Yako.}}
      go: ask_amount
      retries: 3
  ask_amount:
    input:
      text: {en: Amount, sw: Kiasi}
      into: amount
      go: ask_quote
  ask_quote:
    call:
      do: send_money.quote
      with: {to: to, amount: amount}
      save: quote
      within: 3s
      outcomes:
        {ok: ask_pin, own_number: stopped, unknown_payee: stopped, under_minimum: stopped,
         over_limit: stopped, timeout: stopped}
  ask_pin:
    secret:
      text:
        en: "{amount|money} to {quote.name}, PIN"
        sw: "{amount|money} kwa {quote.name}, PIN"
      digits: 4-6
      do: send_money
      with: {to: to, amount: amount, fee: quote.fee, payee: quote.payee}
      within: 4s
      outcomes:
        ok: done
        wrong_pin: {again: {en: "{result.tries_left} left.", sw: "Bado {result.tries_left}."}}
        not_registered: stopped
        account_blocked: stopped
        pin_locked: stopped
        own_number: stopped
        unknown_payee: stopped
        under_minimum: stopped
        over_limit: stopped
        fee_changed: ask_quote
        payee_full: stopped
        low_balance: stopped
        timeout: stopped
        unknown: stopped
  done:
    end: {text: {en: "{result.receipt} sent.", sw: "{result.receipt} imetumwa."}}
  stranger:
    end: {text: {en: Not registered., sw: Haijasajiliwa.}}
  stopped:
    end: {text: {en: Stopped., sw: Imesimama.}}
"""


PHONE, MONEY, ID, NAME = VarType("msisdn"), VarType("money"), VarType("id"), VarType("text", 20)


def _nothing(_call: Call) -> Answer:
    raise AssertionError("no action runs here")


_QUOTE = Action(
    name="send_money.quote",
    effect=Effect.READ,
    takes={"to": PHONE, "amount": MONEY},
    gives={"name": NAME, "fee": MONEY, "payee": ID},
    outcomes=frozenset(
        ("ok", "own_number", "unknown_payee", "under_minimum", "over_limit", "timeout")
    ),
    takes_secret=False,
    run=_nothing,
)
_SEND = Action(
    name="send_money",
    effect=Effect.MONEY,
    takes={"to": PHONE, "amount": MONEY, "fee": MONEY, "payee": ID},
    gives={"receipt": VarType("text", 10), "tries_left": VarType("count")},
    outcomes=frozenset(
        (
            "ok",
            "wrong_pin",
            "not_registered",
            "account_blocked",
            "pin_locked",
            "own_number",
            "unknown_payee",
            "under_minimum",
            "over_limit",
            "fee_changed",
            "payee_full",
            "low_balance",
            "timeout",
            "unknown",
        )
    ),
    takes_secret=True,
    run=_nothing,
)
ACTIONS = {action.name: action for action in (_QUOTE, _SEND)}


def changed(old: str, new: str) -> str:
    """The pack with one thing in it that is otherwise."""
    assert RIGHT.count(old) == 1, f"{RIGHT.count(old)} of {old!r}"
    return RIGHT.replace(old, new)


def line_of(source: str, mark: str) -> int:
    lines = [number for number, line in enumerate(source.split("\n"), 1) if mark in line]
    assert lines, mark
    return lines[0]


def load(source: str) -> Program | list[Fault]:
    return load_pack(source.encode(), file="small.yaml", actions=ACTIONS, money_max=MONEY_MAX)
