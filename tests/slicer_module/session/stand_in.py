"""A process in the place of Slicer: it starts a server as the module does, says where it is, and waits to be killed.

    python stand_in.py FOLDER_OF_THE_MODULE FOLDER_OF_IMAGES

writes address and process id of the server on one line.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path


class Unheard:
    def report(self, *_words: object) -> None:
        pass

    def check(self) -> None:
        pass


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from VerteNetLib.local_server import LocalServer, find_program

    server = LocalServer(find_program(str(Path(sys.executable).with_name("vertenet"))), Path(sys.argv[2]))
    print(server.start(Unheard()), server.process_id, flush=True)
    while True:
        time.sleep(60)
