"""Who signed in: the record of an account, which holds no secret. Imported when it is named or made."""

from __future__ import annotations

import json

from azcred._azcred import _record

__all__ = ["AuthenticationRecord"]


class AuthenticationRecord:
    """The account of a sign-in. A later credential with it as ``authentication_record`` takes no other account."""

    __slots__ = ("authority", "client_id", "home_account_id", "tenant_id", "username")

    def __init__(self, tenant_id: str, client_id: str, authority: str, home_account_id: str, username: str) -> None:
        """Take the parts; programs get records from ``authenticate`` or :meth:`deserialize`."""
        self.tenant_id = tenant_id
        """The tenant that the account signed in to."""
        self.client_id = client_id
        """The application that the account signed in to."""
        self.authority = authority
        """The authority's host."""
        self.home_account_id = home_account_id
        """The account, the same in all tenants."""
        self.username = username
        """Its name, such as ``user@contoso.com``."""

    @classmethod
    def deserialize(cls, data: str) -> AuthenticationRecord:
        """Read what :meth:`serialize` wrote, here or in azure-identity; ``ValueError`` for anything else."""
        authority, client_id, home_account_id, tenant_id, username = _record(data)
        return cls(tenant_id, client_id, authority, home_account_id, username)

    def serialize(self) -> str:
        """Write the record as JSON text."""
        return json.dumps(
            {
                "authority": self.authority,
                "clientId": self.client_id,
                "homeAccountId": self.home_account_id,
                "tenantId": self.tenant_id,
                "username": self.username,
                "version": "1.0",
            }
        )

    def __eq__(self, other: object) -> bool:
        """Tell whether two records are of one sign-in."""
        if not isinstance(other, AuthenticationRecord):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        """Hash all parts."""
        return hash(tuple(getattr(self, name) for name in self.__slots__))

    def __repr__(self) -> str:
        """Show the account and where it signed in."""
        return f"<AuthenticationRecord {self.username} at {self.authority}/{self.tenant_id}>"
