"""`ulmfit` for the shell blocks of the documentation, without five seconds of imports a call.

`python forking.py SOCKET EMBEDDED` loads what `ulmfit` needs once, says "ready", and forks for
every call that the script `ulmfit` (`CLIENT`) sends it: the arguments, the folder, the environment
and the open files of a real call. SIGINT of the caller goes to the fork.
"""

import gc
import json
import os
import signal
import socket
import sys
import traceback
from contextlib import redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from pathlib import Path

CLIENT = """#!{python} -ESs
import array, json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
files = array.array("i", [0, 1, 2])
server.sendmsg([len(told).to_bytes(4)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
server.sendall(told)
pid = int.from_bytes(server.recv(4))
signal.signal(signal.SIGINT, lambda *_: os.kill(pid, signal.SIGINT))
sys.exit(int.from_bytes(server.recv(4) or (1).to_bytes(4)))
"""
LOADED = (
    *("torch", "torch._dynamo", "sklearn.feature_extraction.text", "sklearn.linear_model"),
    *("sklearn.pipeline", "sklearn.model_selection", "pyarrow.parquet", "matplotlib.figure"),
    *("rich.progress", "ulmfit.cli", "ulmfit.pipeline", "ulmfit.cli.progress", "optuna"),
    *("ulmfit.report", "ulmfit.label_errors", "ulmfit.explanations"),
)


def serve(address: str) -> None:
    """Fork for every call, for ever."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at pytest is pytest's
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    print("ready", flush=True)
    while True:
        caller, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            answer(caller)
        caller.close()


def answer(caller: socket.socket) -> None:
    """Be the command that was called; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = run(*received(caller))
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        with suppress(OSError):
            caller.sendall(code.to_bytes(4))
        os._exit(code)


def received(caller: socket.socket) -> tuple[list[str], str, dict[str, str]]:
    """The call: its open files take the place of ours."""
    size, files, *_ = socket.recv_fds(caller, 4, 3)
    for ours, theirs in enumerate(files):
        os.dup2(theirs, ours)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)  # as on a terminal
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    left, told = int.from_bytes(size), b""
    while len(told) < left:
        told += caller.recv(left - len(told))
    caller.sendall(os.getpid().to_bytes(4))
    arguments, folder, environment = json.loads(told)
    return arguments, folder, environment


def run(arguments: list[str], folder: str, environment: dict[str, str]) -> int:
    """`ulmfit ARGUMENTS` -> its exit code."""
    from ulmfit.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    try:
        main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    for name in LOADED:
        with suppress(ImportError):  # an extra
            import_module(name)
    if len(sys.argv) > 2:
        from shrinking import shrink

        shrink(Path(sys.argv[2]), setattr)
    with redirect_stdout(StringIO()):  # the commands are described once, not in every fork
        run(["--help"], os.getcwd(), dict(os.environ))
    gc.collect()
    gc.freeze()  # a fork that collects garbage would copy every page of memory
    serve(sys.argv[1])
