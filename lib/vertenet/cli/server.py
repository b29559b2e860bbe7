"""The commands of the server: serve, and token for those who may use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.table import Table

from ..models import find_weights
from ..server import tokens
from .common import ModelName, app, show_table

token_app = typer.Typer(help="Tokens of the server: who may read, annotate, administer.", no_args_is_help=True)
app.add_typer(token_app, name="token")

TokenFile = Annotated[
    Optional[Path], typer.Option("--tokens", help="File of tokens; default: vertenet/tokens.json in ~/.config.")
]


@app.command()
def serve(
    studies: Annotated[Path, typer.Option(help="Folder of images to serve.")],
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on; another than loopback needs --tokens.")] = (
        "127.0.0.1"
    ),
    model: ModelName = "vertenet-lite",
    app_folder: Annotated[Optional[Path], typer.Option("--app", help="Folder of the MONAI Label app.")] = None,
    conf: Annotated[Optional[list[str]], typer.Option(help="NAME=VALUE for the app; may be repeated.")] = None,
    token_file: Annotated[
        Optional[Path], typer.Option("--tokens", help="Answer only those with a token of this file.")
    ] = None,
    tls_cert: Annotated[Optional[Path], typer.Option(help="Certificate chain (PEM): serve HTTPS.")] = None,
    tls_key: Annotated[Optional[Path], typer.Option(help="Private key (PEM) of --tls-cert.")] = None,
    allow_origin: Annotated[
        Optional[list[str]], typer.Option(help="Web origin whose pages may ask, https://...; may be repeated.")
    ] = None,
    trust_proxy: Annotated[
        Optional[list[str]], typer.Option(help="Address of a proxy whose X-Forwarded-For is believed.")
    ] = None,
    max_upload: Annotated[float, typer.Option(help="Largest upload, MiB.")] = 64,
    queue: Annotated[int, typer.Option(help="How many inferences may wait; further ones get 429.")] = 16,
    until_closed: Annotated[
        bool, typer.Option(help="End when standard input is closed, as the end of the parent process does.")
    ] = False,
    verbose: Annotated[bool, typer.Option(help="Log every request.")] = False,
) -> None:
    """Start the MONAI Label server with the VerteNet app."""
    if model.endswith(".safetensors"):
        find_weights(model)  # a name is the app's to look up, among its own versions too
    from ..server.options import ServerOptions, Tls
    from ..server.serving import serve as serve_app

    options = ServerOptions(
        host=host,
        port=port,
        tokens=token_file,
        tls=Tls.of(tls_cert, tls_key),
        origins=tuple(allow_origin or ()),
        proxies=tuple(trust_proxy or ()),
        max_upload_mib=max_upload,
        queue=queue,
        until_closed=until_closed,
    )
    raise typer.Exit(serve_app(studies, options, model=model, app=app_folder, conf=conf or (), verbose=verbose))


@token_app.command("add")
def token_add(
    name: Annotated[str, typer.Argument(help="Whose token; the annotator's name in every label's history.")],
    role: Annotated[str, typer.Option(help="reader, annotator, reviewer or admin.")] = "annotator",
    days: Annotated[Optional[float], typer.Option(help="Days until it expires; default: never.")] = None,
    token_file: TokenFile = None,
) -> None:
    """Issue a token. It is shown once and kept as a hash only."""
    typer.echo(tokens.add(token_file or tokens.default_file(), name, role, days))


@token_app.command("list")
def token_list(token_file: TokenFile = None) -> None:
    """Who has a token, and since when."""
    table = Table("name", "role", "created", "expires")
    for token in tokens.load(token_file or tokens.default_file()):
        table.add_row(token.name, token.role, token.created, token.expires or "never")
    show_table(table)


@token_app.command("revoke")
def token_revoke(
    name: Annotated[str, typer.Argument(help="Whose token.")],
    token_file: TokenFile = None,
) -> None:
    """Take a token away; a running server refuses it from the next request on."""
    tokens.revoke(token_file or tokens.default_file(), name)
