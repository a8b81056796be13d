"""From a pack of menus as operators write it to a frozen program, or every fault in it.

customer.yaml --strict_yaml--> tree --loader, states--> Program --lint--> the same, or faults
"""
