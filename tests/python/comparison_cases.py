"""All cases of the comparison."""

from __future__ import annotations

import comparison_applications
import comparison_chains
import comparison_hosts
import comparison_options
import comparison_users

CASES = [
    *comparison_hosts.CASES,
    *comparison_applications.CASES,
    *comparison_users.CASES,
    *comparison_chains.CASES,
    *comparison_options.CASES,
]
