"""``vertenet serve``: MONAI Label's server behind our gateway, on the loopback interface unless told otherwise."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from ..errors import OptionError
from .options import ServerOptions

#: What MONAI Label loads where no other app is named.
OWN_APP = "from vertenet.server.application import VerteNetApp\n"

#: How long running requests may take to finish after a signal to stop, seconds.
GRACE_S = 30


def serve(
    studies: str | Path,
    options: ServerOptions | None = None,
    *,
    model: str | None = None,
    app: str | Path | None = None,
    conf: Sequence[str] = (),
    verbose: bool = False,
) -> int:
    """Serve a folder of images until SIGINT or SIGTERM, or until standard input ends where ``options`` say so.

    One line on standard output says when the server is ready and where: ``VerteNet is ready on http://...``.

    Parameters
    ----------
    studies : path
        Folder of images. The labels and the server's state are written into it.
    options : ServerOptions, optional
    model : str, optional
        Name or path of the weights; the app's default otherwise.
    app : path, optional
        Folder of a MONAI Label app; VerteNet's own otherwise. Any app is served by our gateway.
    conf : sequence of str
        Settings of the app, each ``NAME=VALUE``.
    verbose : bool
        Log every request.

    Returns
    -------
    int
        0, after Ctrl+C or the end of standard input. SIGTERM ends the process by that signal, also in good order.

    Raises
    ------
    OptionError
        A folder is missing, the port is taken, the address is not loopback and there are no tokens, or the packages
        of the ``server`` extra are not installed.
    """
    options = options or ServerOptions()
    studies, app = Path(studies).resolve(), None if app is None else Path(app).resolve()
    settings = dict(_setting(text) for text in conf)
    if model is not None:
        settings["model"] = model
    if not studies.is_dir():
        raise OptionError("there is no such folder", subject=str(studies), remedy="Give --studies a folder of images")
    if app is not None and not (app / "main.py").is_file():
        raise OptionError("there is no MONAI Label app", subject=str(app), remedy="Give --app a folder with a main.py")
    listener = _listen(options)
    if options.until_closed:
        threading.Thread(target=_end_with_input, name="until closed", daemon=True).start()
    try:
        with ExitStack() as at_end:
            _run(listener, studies, app, settings, options, verbose, at_end)
    except KeyboardInterrupt:
        pass  # the server has shut down in good order before it raises this
    finally:
        listener.close()
    return 0


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise OptionError(f"--conf {text!r} is not NAME=VALUE")
    return name, value


def _end_with_input() -> None:
    """Wait for the end of standard input, then stop this process as Ctrl+C does."""
    with suppress(OSError):  # it was never open
        while os.read(0, 4096):
            pass
    signal.raise_signal(signal.SIGINT)


def _listen(options: ServerOptions) -> socket.socket:
    """Take the port before anything slow happens, so that a taken one is reported at once and a free one stays ours."""
    host, port = options.host, options.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
        # asyncio does so only for the sockets that it opens itself. Without it the two halves of an answer, head and
        # body, wait 40 ms for each other (Nagle's algorithm against delayed acknowledgement).
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "the port is taken" if taken else (getattr(error, "strerror", None) or str(error)).rstrip(".")
        raise OptionError(
            f"cannot listen on {host} port {port} ({reason})",
            remedy="Choose another --port; 0 takes a free one" if taken else "Check --host and --port",
        ) from error
    if options.tokens is None and not ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback:
        listener.close()
        raise OptionError(
            f"without tokens everybody who reaches {host} could read and change images and labels",
            remedy="Issue tokens (vertenet token add NAME) and give their file with --tokens, or leave --host out",
        )
    return listener


def _run(
    listener: socket.socket,
    studies: Path,
    app: Path | None,
    conf: dict[str, str],
    options: ServerOptions,
    verbose: bool,
    at_end: ExitStack,
) -> None:
    """As `serve`; ``at_end`` is closed when the server has stopped, also by a signal that ends the process at once."""
    # OpenMP threads that wait by spinning starve each other when anything else wants the processor: on two busy cores
    # one image took 20 s instead of 0.5 s. Must be said before torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import uvicorn
        from monailabel.config import settings
        from monailabel.interfaces.exception import MONAILabelException
        from monailabel.interfaces.utils.app import app_instance
        from monailabel.main import Main
        from monailabel.utils.others.generic import init_log_config
    except ImportError as error:
        raise OptionError(
            f"the server needs a package that is not installed ({error.name})",
            remedy="Install the extra: pip install 'vertenet[server]'",
        ) from error
    if settings.MONAI_LABEL_AUTH_ENABLE:
        raise OptionError(
            "MONAI_LABEL_AUTH_ENABLE is set, but MONAI Label's own authentication refuses every token",
            remedy="Unset it and use --tokens",
        )

    host, port = listener.getsockname()[:2]
    level = "INFO" if verbose else "WARNING"
    from .scratch import remove_half_sessions, scratch_folder
    from .state import LOG_FILE, state_folder

    state = state_folder(studies, conf)
    try:
        scratch = at_end.enter_context(scratch_folder())
        remove_half_sessions()
        app = app or _own_app(scratch)
    except OSError as error:
        raise OptionError(
            f"the folder of temporary files cannot be written to ({error.strerror})",
            subject=error.filename,
            remedy="Name another one in TMPDIR",
        ) from error
    command = ["start_server", "--app", str(app), "--studies", str(studies), "--host", host, "--port", str(port)]
    for name, value in conf.items():
        command += ["--conf", name, value]
    # MONAI Label appends the app's folder; after nothing, the processes of tasks would import from where they start.
    os.environ["PYTHONPATH"] = os.environ.get("PYTHONPATH") or str(app)
    monai = Main(loglevel=level)
    try:
        monai.start_server_init_settings(monai.args_parser().parse_args(command))
        log_config = init_log_config(None, str(state), LOG_FILE.name, level)
    except OSError as error:
        raise OptionError(
            f"this folder of the server cannot be written to ({error.strerror})", subject=error.filename or str(app)
        ) from error

    try:
        app_instance()
    except MONAILabelException as error:
        raise OptionError(error.msg, subject=str(app)) from error
    from .flood import guard_logs
    from .gateway.assembly import create_app
    from .gateway.connections import Connections

    class Server(uvicorn.Server):
        async def shutdown(self, sockets=None):
            self.watching.cancel()
            await super().shutdown(sockets)
            at_end.close()

        async def startup(self, sockets=None):
            await super().startup(sockets)
            self.watching = asyncio.create_task(connections.watch())
            if self.started:
                print(
                    f"VerteNet is ready on {_url(options, host, port)} (images: {studies}). Ctrl+C stops it.",
                    flush=True,
                )

    connections = Connections()
    config = uvicorn.Config(
        create_app(options, state),
        http=connections.protocol(),
        log_config=log_config,
        log_level="info" if verbose else "warning",
        access_log=verbose,
        server_header=False,
        proxy_headers=bool(options.proxies),
        forwarded_allow_ips=list(options.proxies),
        ssl_certfile=options.tls and str(options.tls.certificate),
        ssl_keyfile=options.tls and str(options.tls.key),
        timeout_graceful_shutdown=GRACE_S,
    )
    Path(log_config).unlink()  # a temporary file of MONAI Label's, read by now
    guard_logs()
    server = Server(config)
    server.run(sockets=[connections.listener(listener)])
    if not server.started:
        raise OptionError("the server did not start", remedy="Its log above says why")


def _own_app(scratch: Path) -> Path:
    """A folder for MONAI Label with the app of this package; what is written into it goes with the server.

    Not the package's own folder, which may be read-only, and not the state's: its files are run as code.
    """
    app = scratch / "app"
    app.mkdir()
    (app / "main.py").write_text(OWN_APP, encoding="utf-8")
    return app


def _url(options: ServerOptions, host: str, port: int) -> str:
    scheme = "https" if options.tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
