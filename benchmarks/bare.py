"""The bare client of benchmarks.check: sends the requests of a file and reads the responses."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode


def main() -> None:
    """Send the requests: the first to Azure by `az rest`, so that az is loaded as it is for any command."""
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    azure = [request for request in content["requests"] if request["path"].startswith("/subscriptions/")]
    cluster = [request for request in content["requests"] if request["path"].startswith("/api")]
    _azure(azure)
    _cluster(cluster, content["kubeconfig"])


def _azure(requests: list[dict[str, Any]]) -> None:
    from azure.cli.core import get_default_cli
    from azure.cli.core.util import send_raw_request

    cli = get_default_cli()
    cli.invoke(["rest", "--method", requests[0]["method"], "--url", _url(requests[0])], out_file=sys.stderr)
    for request in requests[1:]:
        send_raw_request(cli, request["method"], _url(request)).json()


def _cluster(requests: list[dict[str, Any]], kubeconfig: str) -> None:
    import requests as http
    import yaml

    content = yaml.safe_load(Path(kubeconfig).read_text(encoding="utf-8"))
    server = next(cluster["cluster"] for cluster in content["clusters"] if cluster["name"] == requests[0]["who"])
    token = next(user["user"]["token"] for user in content["users"] if user["name"] == f"user-{requests[0]['who']}")
    ca = Path(f"{sys.argv[1]}.pem")
    ca.write_bytes(base64.b64decode(server["certificate-authority-data"]))
    session = http.Session()
    session.verify, session.headers["Authorization"] = str(ca), f"Bearer {token}"
    for request in requests:
        response = session.get(server["server"] + request["path"], params=request["query"])
        if response.ok:
            response.json()


def _url(request: dict[str, Any]) -> str:
    return f"{request['path']}?{urlencode(request['query'])}"


if __name__ == "__main__":
    main()
