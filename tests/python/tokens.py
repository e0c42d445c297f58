"""Tokens as a resource sees them: checked with a library that is not ours, by the published metadata."""

from __future__ import annotations

import functools
import ssl
from typing import Any

import jwt
from conftest import Emulator


@functools.cache
def _keys(address: str, ca_file: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(address, ssl_context=ssl.create_default_context(cafile=ca_file))


def verified(emulator: Emulator, token: str, audience: str) -> dict[str, Any]:
    """Check key, signature, issuer, audience and times; give the claims."""
    keys = _keys(f"{emulator['https']}/{emulator['tenant_id']}/discovery/v2.0/keys", emulator["ca_file"])
    claims: dict[str, Any] = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        audience=audience,
        issuer=f"https://sts.windows.net/{emulator['tenant_id']}/",
        options={"require": ["exp", "iat", "nbf", "tid", "oid"]},
    )
    return claims
