"""The conversation with a phone: menus as operators write them, and the turn that answers.

customer.yaml --strict_yaml--> tree --loader, lint--> Program, or every fault in it
                                                         |
Request --turn--> what is new in it (heard) ----> engine.step, pure
  Reply <-- the session's row, saved <-- Screen <--------+--> Wanted --> an action
"""
