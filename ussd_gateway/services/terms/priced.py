"""The names under which services look their tariffs up in a price book."""

# What services charge and pay by: each needs a tariff that is in force.
SERVICES = (
    "send",
    "voucher",
    "withdraw",
    "withdraw.commission",
    "deposit",
    "deposit.commission",
    "pay_bill",
    "pay_bill.business",
    "buy_goods",
    "airtime",
)
# Of these nobody pays a fee: cash that comes in is worth itself, and what is on order has no
# place for a fee, which would be kept though nothing was delivered.
FREE = ("deposit", "airtime")
COMMISSION = ".commission"
# What comes out of the amount itself, before its payee gets it.
BUSINESS = ".business"
# A part has a band for each amount that what it is a part of takes: what it left out would be
# paid without it.
PARTS = {
    "withdraw.commission": ("withdraw", "voucher"),
    "deposit.commission": ("deposit",),
    "pay_bill.business": ("pay_bill",),
}
