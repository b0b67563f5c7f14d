#!/usr/bin/python3
"""hosts.py HOSTS RATE RANKS COMMAND...: runs COMMAND on so many ranks, dealt out in blocks to so many hosts, which this machine
pretends to have: network namespaces on one bridge, each with its own name and /dev/shm, whose links send at most RATE (100mbit,
1gbit, ...; none: as fast as they can). Needs root, iproute2, util-linux and Open MPI.

As a module: Hosts, for tests that look after the hosts while something runs."""

import itertools
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys

TOOLS = ("ip", "tc", "unshare", "mpirun")
DEVICE = "e0"
BURST = ("burst", "256kb", "latency", "50ms")  # of a token bucket: what a switch port holds
AGENT = "--agent"
_numbers = itertools.count(1)  # the kernel forgets a host some time after it is gone: the next one has another name


def command(*words):
    """Runs one, silently. Raises CalledProcessError with what it said."""
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


def missing():
    """What this machine lacks for it, in a few words; empty: nothing."""
    if lacking := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(lacking)} not found"
    if "Open MPI" not in subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout:
        return "mpirun is not Open MPI's"
    try:
        with Hosts(1, "100mbit") as hosts:
            hosts.on_host(1, "true")
    except subprocess.CalledProcessError as error:
        return f"network namespaces are not permitted here: {(error.stderr or '').strip() or error}"
    return ""


def _name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return None  # it ended meanwhile


def inside(namespace, words):
    """The command that runs `words` on that host."""
    name = namespace.rpartition("-")[2]
    start = f'hostname {name} && mount -t tmpfs tmpfs /dev/shm && exec "$@"'
    return ["ip", "netns", "exec", namespace, "unshare", "-m", "-u", "bash", "-c", start, name, *map(str, words)]


class Hosts:
    """Hosts h1, h2, ... for the time of a `with`."""

    def __init__(self, count, rate=None):
        self.count = count
        self.rate = rate
        own = f"{os.getpid()}x{next(_numbers)}"
        self.prefix = f"adapt{own}"
        self.bridge = f"ad{own}"  # interfaces have at most 15 letters

    def __enter__(self):
        try:
            command("ip", "link", "add", self.bridge, "type", "bridge")
            command("ip", "link", "set", self.bridge, "up")
            for host in range(1, self.count + 1):
                self._add(host)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error):
        for host in range(1, self.count + 1):
            self.kill(host)
            subprocess.run(["ip", "link", "del", self._outside(host)], capture_output=True)
            subprocess.run(["ip", "netns", "del", self.namespace(host)], capture_output=True)
        subprocess.run(["ip", "link", "del", self.bridge], capture_output=True)

    def _add(self, host):
        namespace = self.namespace(host)
        outside = self._outside(host)
        command("ip", "netns", "add", namespace)
        command("ip", "link", "add", outside, "type", "veth", "peer", "name", DEVICE, "netns", namespace)
        command("ip", "link", "set", outside, "master", self.bridge, "up")
        within = ("ip", "netns", "exec", namespace)
        command(*within, "ip", "addr", "add", f"{self.address(host)}/24", "dev", DEVICE)
        for device in (DEVICE, "lo"):
            command(*within, "ip", "link", "set", device, "up")
        if self.rate:  # both ways
            command(*within, "tc", "qdisc", "add", "dev", DEVICE, "root", "tbf", "rate", self.rate, *BURST)
            command("tc", "qdisc", "add", "dev", outside, "root", "tbf", "rate", self.rate, *BURST)

    def _outside(self, host):
        """The bridge's end of its link."""
        return f"{self.bridge}v{host}"

    def namespace(self, host):
        """Of host 1, 2, ..."""
        return f"{self.prefix}-h{host}"

    def address(self, host):
        """Of host 1, 2, ..."""
        return f"10.77.0.{host}"

    def on_host(self, host, *words):
        """What a command prints there."""
        return command(*inside(self.namespace(host), words))

    def processes(self, host, name=None):
        """Numbers of those that run there, of that name or all."""
        found = subprocess.run(["ip", "netns", "pids", self.namespace(host)], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split() if name in (None, _name_of(pid))]

    def kill(self, host):
        """Ends all that runs there, at once and without a word."""
        for pid in self.processes(host):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended meanwhile

    def unplug(self, host):
        """Its link is dead from now on; what runs there goes on."""
        command("ip", "link", "set", self._outside(host), "down")

    def mpirun(self, ranks, words, hosts=None):
        """The command that starts so many ranks on the first `hosts` (all) of them, in blocks."""
        hosts = hosts or self.count
        each = -(-ranks // hosts)
        places = ",".join(f"{self.address(host)}:{each}" for host in range(1, hosts + 1))
        agent = f"{sys.executable} {pathlib.Path(__file__).resolve()} {AGENT} {self.prefix}"
        options = {"plm_rsh_agent": agent, "btl": "tcp,self,vader", "btl_tcp_if_include": DEVICE,
                   "oob_tcp_if_include": DEVICE, "mpi_yield_when_idle": "1", "hwloc_base_binding_policy": "none",
                   "btl_vader_single_copy_mechanism": "none"}  # fmt: skip
        settings = [word for key, value in options.items() for word in ("--mca", key, value)]
        return inside(self.namespace(1), ["mpirun", "--allow-run-as-root", "--oversubscribe", *settings, "--host", places,
                                          "-n", ranks, *words])  # fmt: skip


def agent(prefix, address, *words):
    """What mpirun calls instead of ssh: the words are for a shell of the host."""
    namespace = f"{prefix}-h{address.rpartition('.')[2]}"
    line = inside(namespace, ["bash", "-c", " ".join(words)])
    os.execvp(line[0], line)


def main(arguments):
    """Runs the command on the hosts; its exit code."""
    if arguments[:1] == [AGENT]:
        agent(*arguments[1:])
    if len(arguments) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    count, rate, ranks, *words = arguments
    with Hosts(int(count), None if rate == "none" else rate) as hosts:
        line = hosts.mpirun(int(ranks), words)
        if os.environ.get("ADAPT_SHOW"):
            print(shlex.join(line), file=sys.stderr)
        return subprocess.run(line).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
