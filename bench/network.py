"""Networks of our own, in which nobody is Azure's metadata service at 169.254.169.254."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from places import BENCH, PYTHON
from program import Command, ProgramError

METADATA = "169.254.169.254"

# What makes each of them, in a namespace that has a loopback interface and nothing else.
NETWORKS = {
    # No route: connecting fails at once.
    "unreachable": (),
    # A route to a wire behind which nobody is: packets vanish.
    "silent": (
        "ip link add here type veth peer name nobody",
        "ip address add 10.77.0.1/24 dev here",
        "ip link set nobody up",
        "ip link set here up",
        f"ip route add {METADATA}/32 dev here",
        # Without it, nobody's silence about hardware addresses would be an error after three seconds.
        f"ip neighbour add {METADATA} lladdr 02:00:00:00:00:01 dev here",
    ),
    # The address is here, and nobody listens: connecting is refused.
    "refusing": (f"ip address add {METADATA}/32 dev lo",),
    # The address is another cloud's, whose metadata service knows no such path.
    "strange": (f"ip address add {METADATA}/32 dev lo",),
}


def within(network: str, command: Command) -> Command:
    """Give the command that runs another one in a network of its own, with no tool on its PATH."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if unshare is None or ip is None:
        raise ProgramError("unshare (util-linux) and ip (iproute2) are not there")
    steps = [step.replace("ip ", f"{ip} ", 1) for step in ("ip link set lo up", *NETWORKS[network])]
    program = Path(shutil.which(str(command[0])) or command[0]).absolute()
    stranger = [str(PYTHON), str(BENCH / "python/stranger.py")] if network == "strange" else []
    words = shlex.join([*stranger, str(program), *(str(word) for word in command[1:])])
    script = " && ".join([*steps, f"PATH=/nonexistent exec {words}"])
    # Who is not root becomes it in a namespace of users.
    options = ["--net"] if os.geteuid() == 0 else ["--net", "--user", "--map-root-user"]
    return [unshare, *options, "/bin/sh", "-c", script]
