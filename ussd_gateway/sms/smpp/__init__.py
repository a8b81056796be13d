"""SMS through a carrier's own centre (SMSC), over SMPP 3.4, on the client smpplib 2.2.4.

    sender   one message -> one submit_sm; its answer -> what became of it
    link     the bound session: kept up by threads of its own, many messages in the air
    hearing  what the SMSC tells us, worked off beside it
    client   smpplib's client where it is too trusting
    words    texts as octets
    reports  delivery receipts (deliver_sm) as `ports.DeliveryReport`
    incoming what people text to us (deliver_sm too)

What is sent: bind_transceiver (system_id, password, interface_version 0x34); submit_sm with
registered_delivery 1, the number as dest_addr (TON 1 international, NPI 1 ISDN), the sender as
source_addr (TON 5 for a name, 1 for a number, 0 for a short code), data_coding 0 (GSM 03.38,
one septet an octet) or 8 (UCS-2), and the text as short_message; a text of more than one
segment as message_payload, which the SMSC splits: one message has one id and one report.
enquire_link where the line is silent. What is taken: submit_sm_resp, deliver_sm, generic_nack,
enquire_link, unbind. (SMPP Protocol Specification v3.4 issue 1.2; read 2026-11-21.
Unconfirmed, as carriers differ: that data_coding 0 is GSM 03.38; that message_payload is taken;
how ids are written in receipts, for which menus/providers.yaml has `message_ids`.)
"""
