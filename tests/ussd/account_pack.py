"""A pack of what the small one leaves out: names and digits that are typed, texts in `with`,
lines, and secrets that follow each other.

    register   a name, an ID number                    -> a call
    new PIN    the old one, a new one, the same again  -> saved from secret to secret
    pay        a till number, an amount                -> money
"""

from collections.abc import Iterable

from tests.ussd.stand_in import MONEY_MAX
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import Action, Answer, Call, Effect, VarType
from ussd_gateway.ussd.menu import Program
from ussd_gateway.ussd.reading.loader import load_pack

ACCOUNT = """\
schema: 1
pack: account
entry: home
languages: [en, fr]
profile: gsm7-160
nav: {back: "0", home: "00"}
session: {idle: 3m, max_hops: 40}
vars:
  name: {type: text(20)}
  id_number: {type: digits(6-8)}
  till: {type: digits(6)}
  amount: {type: money, currency: KES}
  proved: {type: record, fields: {proof: id, name: text(20)}}
  chosen: {type: record, fields: {ticket: id}}
shortcuts:
  "3*{till}*{amount}": pay_pin
notices:
  bad_choice: {en: No such option., fr: Choix inconnu.}
  bad_number: {en: Not a number., fr: Numero inconnu.}
  bad_amount: {en: Not an amount., fr: Montant inconnu.}
  bad_digits: {en: "Type {digits} digits.", fr: "Tapez {digits} chiffres."}
  bad_text: {en: Letters only., fr: Des lettres seulement.}
  bad_pin: {en: "A PIN has {digits} digits.", fr: "Un code a {digits} chiffres."}
  too_many_tries: {en: Too many tries., fr: Trop d'essais.}
  too_many_hops: {en: Too long., fr: Trop long.}
  dial_again: {en: Dial again. Nothing was charged., fr: Recomposez. Rien n'est debite.}
  pin_dialled: {en: Never dial a PIN., fr: Ne composez jamais de code.}
  checking: {en: Wait for the SMS., fr: Attendez le SMS.}
  not_now: {en: Stopped for now., fr: Suspendu.}
  menu_changed: {en: The menu changed., fr: Le menu a change.}
  resume: {en: "1. Continue 2. Start again", fr: "1. Continuer 2. Recommencer"}
  back: {en: Back, fr: Retour}
  more: {en: More, fr: Suite}
  prev: {en: Previous, fr: Avant}
states:
  home:
    menu:
      text: {en: Home, fr: Accueil}
      options:
        - {key: "1", text: {en: Register, fr: Inscription}, go: ask_name}
        - {key: "2", text: {en: New PIN, fr: Nouveau code}, go: pin_old}
        - {key: "3", text: {en: Pay, fr: Payer}, go: ask_till}
        - {key: "4", text: {en: Statement, fr: Releve}, go: statement_pin}
        - {key: "5", text: {en: Language, fr: Langue}, go: languages}
  languages:
    menu:
      text: {en: Language, fr: Langue}
      options:
        - {key: "1", text: {en: For good, fr: Pour toujours}, go: speak}
        - {key: "2", text: {en: En francais, fr: En francais}, speaks: fr, go: ask_name}
  ask_name:
    input: {text: {en: Name, fr: Nom}, into: name, go: ask_id}
  ask_id:
    input: {text: {en: ID number, fr: Numero de carte}, into: id_number, go: register}
  register:
    call:
      do: register
      with: {name: name, document: id_number}
      within: 3s
      outcomes: {ok: registered, already: known_already, timeout: stopped}
  registered:
    end: {text: {en: "{result.name} {id_number}", fr: "{result.name} {id_number}"}}
  known_already:
    end: {text: {en: "Known as {result.name}.", fr: "Connu comme {result.name}."}}
  speak:
    call:
      do: language.set
      with: {language: "'fr'"}
      within: 3s
      outcomes: {ok: speaks, timeout: stopped}
  speaks:
    decide:
      - {when: result.language == 'fr', go: speaks_french}
      - {go: home}
  speaks_french:
    end: {text: {en: Bonjour., fr: Bonjour.}}
  pin_old:
    secret:
      text: {en: Old PIN, fr: Ancien code}
      digits: 4
      do: pin.prove
      save: proved
      within: 3s
      outcomes:
        ok: pin_new
        wrong_pin: {again: {en: "{result.tries_left} left.", fr: "Encore {result.tries_left}."}}
        timeout: stopped
  pin_new:
    secret:
      text: {en: "{proved.name}, choose a PIN", fr: "{proved.name}, un nouveau code"}
      digits: 4
      do: pin.choose
      with: {proof: proved.proof}
      save: chosen
      within: 3s
      outcomes:
        ok: pin_again
        weak_pin: {again: {en: Too easy., fr: Trop facile.}}
        timeout: stopped
  pin_again:
    secret:
      text: {en: "{proved.name}, the same again", fr: "{proved.name}, encore une fois"}
      digits: 4
      do: pin.change
      with: {proof: proved.proof, ticket: chosen.ticket}
      within: 3s
      outcomes: {ok: pin_changed, pins_differ: pin_new, timeout: stopped, unknown: stopped}
  pin_changed:
    end: {text: {en: "Changed {result.at}.", fr: "Change {result.at}."}}
  ask_till:
    input: {text: {en: Till, fr: Caisse}, into: till, go: ask_amount}
  ask_amount:
    input: {text: {en: Amount, fr: Montant}, into: amount, go: pay_pin}
  pay_pin:
    secret:
      text: {en: "{amount|money} to {till}, PIN", fr: "{amount|money} a {till}, code"}
      digits: 4
      do: pay
      with: {till: till, amount: amount}
      within: 3s
      outcomes: {ok: paid, timeout: stopped, unknown: stopped}
  paid:
    end: {text: {en: "Paid {result.till}.", fr: "Paye {result.till}."}}
  statement_pin:
    secret:
      text: {en: PIN, fr: Code}
      digits: 4
      do: statement
      within: 3s
      outcomes: {ok: statement, timeout: stopped}
  statement:
    end: {text: {en: "{result.lines}", fr: "{result.lines}"}}
  stopped:
    end: {text: {en: Stopped., fr: Fini.}}
"""

MONEY, ID, DIGITS = VarType("money"), VarType("id"), VarType("digits", 12, least=5)
NAME, LANGUAGE = VarType("text", 20), VarType("text", 2)


def _nothing(_call: Call) -> Answer:
    raise AssertionError("no action runs here")


def _action(
    name: str,
    effect: Effect,
    takes: dict[str, VarType],
    gives: dict[str, VarType],
    outcomes: Iterable[str],
    *,
    secret: bool = True,
) -> Action:
    outcomes = frozenset(("ok", "timeout", *outcomes))
    return Action(name, effect, takes, gives, outcomes, takes_secret=secret, run=_nothing)


_CHANGE = Effect.CHANGE
_LINES = VarType("lines", 30, count=5)
ACTIONS = {
    action.name: action
    for action in (
        _action(
            "register",
            _CHANGE,
            {"name": NAME, "document": DIGITS},
            {"name": NAME},
            ("already",),
            secret=False,
        ),
        _action(
            "language.set",
            _CHANGE,
            {"language": LANGUAGE},
            {"language": LANGUAGE},
            (),
            secret=False,
        ),
        _action(
            "pin.prove",
            _CHANGE,
            {},
            {"proof": ID, "name": NAME, "tries_left": VarType("count")},
            ("wrong_pin",),
        ),
        _action("pin.choose", _CHANGE, {"proof": ID}, {"ticket": ID}, ("weak_pin",)),
        _action(
            "pin.change",
            _CHANGE,
            {"proof": ID, "ticket": ID},
            {"at": VarType("text", 16)},
            ("pins_differ", "unknown"),
        ),
        _action(
            "pay",
            Effect.MONEY,
            {"till": DIGITS, "amount": MONEY},
            {"till": DIGITS},
            ("unknown",),
        ),
        _action("statement", _CHANGE, {}, {"lines": _LINES}, ()),
    )
}


def load_account(source: str = ACCOUNT) -> Program | list[Fault]:
    return load_pack(source.encode(), file="account.yaml", actions=ACTIONS, money_max=MONEY_MAX)
