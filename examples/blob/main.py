"""Blob Storage without a password, in Python: upload a blob, read a peer's, compare the bytes.

usage: main.py ACCOUNT_URL CONTAINER OWN_BLOB PEER_BLOB
"""

import json
import sys
import time

from azcred import DefaultAzureCredential
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient


def content(name: str) -> bytes:
    """What a program of this name writes."""
    return bytes((31 * at + sum(name.encode())) % 251 for at in range(64 * 1024))


def main() -> None:
    """Do it."""
    url, container_name, own, peer = sys.argv[1:]
    credential = DefaultAzureCredential()
    with BlobServiceClient(url, credential=credential) as service:
        container = service.get_container_client(container_name)
        try:
            container.create_container()
        except ResourceExistsError:
            pass  # A peer was faster.
        container.upload_blob(own, content(own), overwrite=True)
        read = b""
        for _ in range(300):
            try:
                read = container.download_blob(peer).readall()
                break
            except ResourceNotFoundError:
                time.sleep(0.1)  # The peer has not written it yet.
    if read != content(peer):
        sys.exit(f"{peer}: expected {len(content(peer))} bytes of {peer}, read {len(read)} others")
    origin = credential.get_token_info("https://storage.azure.com/.default").provenance
    print(json.dumps({"program": "Python", "bytes": len(read), **origin}))


main()
