"""The world outside the gateway, as programs: phones, and the vendors between them and us.

    page, terminal --> handset --> vendors ==HTTP==> gateway: USSD callback, end event
    gateway ==HTTP==> sms_api, airtime_api --> inbox --> reports ==HTTP==> gateway: what became
    of it
    gateway ==SMPP==> smsc --> inbox; and back on the same line: what became of it
    gateway ==HTTP==> carrier: charges to phone bills

It reaches the gateway over HTTP and SMPP only, as vendors do, and knows nothing of its insides.
"""
