"""SMS providers behind one door, `ports.SmsSender`.

    Chooser --by the number, in order--> Line --fit, and not too fast--> Provider --> handset
       ^                                  |
       +---next one, where it surely -----+
           did not take the message

Whoever was silent may have taken it, so after silence nobody else is asked. `plan` reads who
carries what; a provider is one file, or one folder.
"""
