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
