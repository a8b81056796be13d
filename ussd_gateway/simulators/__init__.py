"""The world outside the gateway, as programs: phones, and the vendor between them and us.

    page, terminal --> handset ==HTTP==> gateway: USSD callback, end event
    gateway ==HTTP==> sms_api, airtime_api --> inbox --> reports ==HTTP==> gateway: what became
    of it
    gateway ==HTTP==> carrier: charges to phone bills

It reaches the gateway over HTTP only, as the vendor does, and knows nothing of its insides.
"""
