"""Money for a number that is not registered: sent under a code, cashed at any agent's, or given
back after a week.

    send_voucher       wallet    -> unclaimed
    cash_voucher       unclaimed -> float
    give_back_voucher  unclaimed -> wallet
"""
