"""Conversations with phones, as text that runs: what is done, and below it what is to be said.

    # The fee counts.                       a comment, kept
    given  Juma  KES 250.00                 what is in the wallet now
    given  100200  KES 500.00               or in any account, by its number
    spent  Grace  KES 490,000.00            that much more was paid today, to limits
    Grace speaks fr                         from now on, on screens and by SMS
    Juma dials *384#                        each line of the answer under a bar: the screen
      | CON Pesa
      | ...                                 ... stands for any lines
    Juma dials *384# by hubtel              from now on by that aggregator
    Juma enters 1
    Juma enters <PIN>                       or <wrong PIN>, or a good <new PIN>, of equal length
    Juma repeats                            the last callback again
      | (identical)                         or the other screen that came
    Juma hangs up
    waits 6m                                or s, h
    carrier refuses                         or answers, or is silent: from now on; where it is
                                            silent after charging, it took the charge
    sms                                     every SMS since the last such block, in order
      | to Juma: ...
    ledger                                  who is named here, whose money moved, who is listed
      | Juma    KES 250.00
    never stored <PIN>                      what was typed for it is found nowhere

Names are first names of the demo cast; any other number stands for itself, `+254711000009`, and
has one PIN, that of the demo. To play a transcript is to write it as it should read: what reads
otherwise now is a difference, and the rest is left as it was written.
"""

from ussd_gateway.simulators.transcripts.play import Person, Played, World, play, read_people
from ussd_gateway.simulators.transcripts.text import Difference, Transcript, Verb, parse

__all__ = [
    "Difference",
    "Person",
    "Played",
    "Transcript",
    "Verb",
    "World",
    "parse",
    "play",
    "read_people",
]
