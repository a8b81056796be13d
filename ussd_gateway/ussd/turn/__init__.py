"""One turn of a conversation: a callback in, a screen out, and what must be true of both.

    load and lock --FRESH-----> begin, and what was dialled ------> save --> reply
                  --LOCKED----> the next input, step, act, step --> save --> reply
                  --ANSWERED--> the same reply again
                  --BUSY------> wait for the twin, then the same reply

A session that begins while the phone's last one was left open asks whether to go on with that;
one whose version has been retired is moved to the version that took its place.

Where the session is lost, or the text is not what can follow, the session ends politely: with
the truth, where the books hold an answer for it, else with "nothing was charged". Input is
never logged, of no state; nor is the text of a screen.
"""

from ussd_gateway.ussd.turn.answering import Turn

__all__ = ["Turn"]
