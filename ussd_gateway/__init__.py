"""A payment gateway that any phone can use: USSD menus, a ledger, and SMS receipts."""
