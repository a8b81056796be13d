"""How operators' files are read: strictly, and every fault in them with its line.

octets --strict_yaml--> tree of texts --fields--> words, counts, seconds, switches
                                |            |
                                +-- Faults --+--formats--> text, JSON, SARIF
                                      |
                                    rules       what each code means, and how to mend it
"""
