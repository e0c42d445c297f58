"""The options of the classes, for type checkers. Core's own table decides what is taken, and a test compares both."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike

from typing_extensions import TypedDict

from azcred import TokenCachePersistenceOptions
from azcred._record import AuthenticationRecord

class Noted(TypedDict, total=False):
    """What azure-identity takes and azcred has no use for: accepted, with a log line that says why."""

    cache_persistence_options: TokenCachePersistenceOptions | None
    enable_support_logging: bool
    http_logging_policy: object
    logging_enable: bool
    retry_backoff_factor: float
    retry_backoff_max: float
    retry_connect: int
    retry_mode: object
    retry_read: int
    retry_status: int
    user_agent: str

class _Pins(Noted, total=False):
    expected_object_id: str | None
    expected_tenant_id: str | None

class Host(Noted, total=False):
    identity: str | None

class _Network(_Pins, total=False):
    connection_timeout: float
    connection_verify: bool | str | PathLike[str]
    proxies: Mapping[str, str | None]
    read_timeout: float
    retry_total: int
    use_env_settings: bool

class Entra(_Network, total=False):
    additionally_allowed_tenants: Sequence[str] | None
    authority: str | None
    disable_instance_discovery: bool | None

class ManagedIdentity(Entra, total=False):
    client_id: str | None
    identity_config: Mapping[str, str] | None
    object_id: str | None
    resource_id: str | None

class Certificate(Entra, total=False):
    certificate_data: bytes | str | None
    password: bytes | str | None
    send_certificate_chain: bool

class WorkloadIdentity(Entra, total=False):
    client_id: str | None
    enable_azure_proxy: bool
    tenant_id: str | None
    token_file_path: str | PathLike[str] | None

class OnBehalfOf(Entra, total=False):
    certificate_path: str | PathLike[str] | None
    client_assertion_func: Callable[[], str] | None
    client_certificate: bytes | None
    client_secret: str | None
    password: bytes | str | None
    send_certificate_chain: bool

class AuthorizationCode(Entra, total=False):
    client_secret: str | None

class UsernamePassword(Entra, total=False):
    authentication_record: AuthenticationRecord | None
    tenant_id: str | None

class _Person(UsernamePassword, total=False):
    disable_automatic_authentication: bool

class DeviceCode(_Person, total=False): ...

class InteractiveBrowser(_Person, total=False):
    client_id: str | None
    login_hint: str | None
    redirect_uri: str | None
    timeout: float | None

class Tool(_Network, total=False):
    additionally_allowed_tenants: Sequence[str] | None
    process_timeout: float
    tenant_id: str | None

class AzureCli(Tool, total=False):
    subscription: str | None

class Absent(Entra, total=False):
    tenant_id: str | None

class Default(Entra, total=False):
    broker_client_id: str
    broker_tenant_id: str
    exclude_broker_credential: bool
    exclude_cli_credential: bool
    exclude_developer_cli_credential: bool
    exclude_environment_credential: bool
    exclude_interactive_browser_credential: bool
    exclude_managed_identity_credential: bool
    exclude_powershell_credential: bool
    exclude_shared_token_cache_credential: bool
    exclude_visual_studio_code_credential: bool
    exclude_workload_identity_credential: bool
    interactive_browser_client_id: str | None
    interactive_browser_tenant_id: str | None
    managed_identity_client_id: str | None
    managed_identity_object_id: str | None
    managed_identity_resource_id: str | None
    process_timeout: float
    require_envvar: bool
    shared_cache_tenant_id: str | None
    shared_cache_username: str | None
    tenant_id: str | None
    visual_studio_code_tenant_id: str | None
    workload_identity_client_id: str | None
    workload_identity_tenant_id: str | None
