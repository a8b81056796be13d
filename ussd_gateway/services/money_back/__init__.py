"""Money that was sent to the wrong person: its payer asks for it back, and its payee answers.

    payer   ask back --PIN--> what is still there of it is held at the payee, for 48 hours
    payee   give back --PIN--> it goes back        keep --PIN--> two of the staff decide

Nobody's silence moves money: what is not decided in time is free again. What staff do with it
is in `services/orders`.
"""
