"""A module that gets a token as it is loaded: in a fork server, before there is any child."""

from __future__ import annotations

import forking

TEXT = forking.ask("warm")
