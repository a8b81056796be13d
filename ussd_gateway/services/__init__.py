"""What the gateway does for people: one use case a file, named by its verb.

    balance, cash, choose_*, pay, register, send_money    at a phone
    purchases/  vouchers/                                 at a phone, and later without one
    orders/                                               of the staff, at their desk
    terms/                                                what operators write: prices, limits

`teller` is what a service at a phone works with: who calls, their PIN, the ledger. `fees`,
`spending` and `pins` are parts of greater decisions.
"""
