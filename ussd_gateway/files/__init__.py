"""How operators' files are read: strictly, and every fault in them with its line.

octets --strict_yaml--> tree of texts --fields--> words, counts, seconds, switches
                                |            |
                                +-- Faults --+      file:line: CODE what was found: what to do
"""
