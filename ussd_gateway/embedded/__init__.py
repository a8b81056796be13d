"""Real servers without an installation, and processes that never outlive their owner.

    Supervisor --spawn--> Valkey, web, worker, relay, scheduler, simulator    (`make run`)
    tests, benchmarks --> Valkey, Postgres (`embedded.postgres`)              (context managers)

Every process started here carries a parent-death signal, so that even `kill -9` of its owner
ends it; what it forks in turn calls `die_with_parent` itself. Linux only.
"""

from ussd_gateway.embedded.folders import FolderTaken, owned
from ussd_gateway.embedded.processes import NotStarted, Part, die_with_parent
from ussd_gateway.embedded.supervisor import Supervisor
from ussd_gateway.embedded.valkey import Valkey, clear_socket, valkey_part

__all__ = [
    "FolderTaken",
    "NotStarted",
    "Part",
    "Supervisor",
    "Valkey",
    "clear_socket",
    "die_with_parent",
    "owned",
    "valkey_part",
]
