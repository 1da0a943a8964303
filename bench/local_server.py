# SPDX-License-Identifier: Apache-2.0
"""A server on this machine for as long as it is measured, lanerope's or llama.cpp's."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def llama_server(model, port, arguments):
    """The command that starts llama.cpp's server in its root, LLAMA_ROOT (script/lib/llama_root.sh)."""
    inside = f"exec llama-server -m {model} --port {port} {arguments} -t 2 --no-webui"
    return ["bash", "-c", f". {CHECKOUT}/script/lib/common.sh; . {CHECKOUT}/script/lib/root.sh; in_root {os.environ['LLAMA_ROOT']} / sh -c '{inside}'"]


class LocalServer:
    """Waits until the server answers, and ends the program where it does not."""

    def __init__(self, name, port, command):
        log = CHECKOUT / f"build/bench-server-{name}.log"
        self.port = port
        self.log = open(log, "w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True)
        end = time.time() + 300
        while time.time() < end:
            if self.process.poll() is not None:
                sys.exit(f"{name} ended; see {log}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as reply:
                    if reply.status == 200:
                        return
            except OSError:
                time.sleep(0.5)
        sys.exit(f"{name} does not answer; see {log}")

    def port_is_open(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
        # The wrapper may end before the server does, which then would answer for the next one.
        while self.port_is_open():
            time.sleep(0.2)
