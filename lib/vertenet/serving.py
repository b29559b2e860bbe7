"""``vertenet serve``: MONAI Label's server behind our gateway, on the loopback interface unless told otherwise."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from pathlib import Path

from .errors import OptionError

#: The app of this repository; an installed wheel has none, and then ``--app`` must name it.
DEFAULT_APP = Path(__file__).resolve().parents[2] / "apps" / "vertenet"

#: How long running requests may take to finish after a signal to stop, seconds.
GRACE_S = 30


def serve(
    studies: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    model: str | None = None,
    app: str | Path | None = None,
    verbose: bool = False,
) -> int:
    """Serve a folder of images until SIGINT or SIGTERM.

    One line on standard output says when the server is ready and where: ``VerteNet is ready on http://...``.

    Parameters
    ----------
    studies : path
        Folder of images. MONAI Label writes its index and the labels into it.
    host : str
        Address to listen on.
    port : int
        0 takes a free one.
    model : str, optional
        Name or path of the weights; the app's default otherwise.
    app : path, optional
        Folder of a MONAI Label app; `DEFAULT_APP` otherwise. Any app is served by our gateway.
    verbose : bool
        Log every request.

    Returns
    -------
    int
        0, after Ctrl+C. SIGTERM ends the process by that signal, also in good order.

    Raises
    ------
    OptionError
        A folder is missing, the port is taken, or the packages of the ``server`` extra are not installed.
    """
    studies, app = Path(studies).resolve(), Path(app or DEFAULT_APP).resolve()
    if not studies.is_dir():
        raise OptionError("there is no such folder", subject=str(studies), remedy="Give --studies a folder of images")
    if not (app / "main.py").is_file():
        raise OptionError("there is no MONAI Label app", subject=str(app), remedy="Give --app a folder with a main.py")
    if not (DEFAULT_APP / "labelapp" / "gateway.py").is_file():
        raise OptionError(
            "the gateway is not installed", subject=str(DEFAULT_APP), remedy="Run it from a clone of the repository"
        )
    listener = _listen(host, port)
    try:
        _run(listener, studies, app, model, verbose)
    except KeyboardInterrupt:
        pass  # the server has shut down in good order before it raises this
    finally:
        listener.close()
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow happens, so that a taken one is reported at once and a free one stays ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "the port is taken" if taken else (getattr(error, "strerror", None) or str(error)).rstrip(".")
        raise OptionError(
            f"cannot listen on {host} port {port} ({reason})",
            remedy="Choose another --port; 0 takes a free one" if taken else "Check --host and --port",
        ) from error


def _run(listener: socket.socket, studies: Path, app: Path, model: str | None, verbose: bool) -> None:
    # OpenMP threads that wait by spinning starve each other when anything else wants the processor: on two busy cores
    # one image took 20 s instead of 0.5 s. Must be said before torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Training and scoring run as processes of their own, which find the app through PYTHONPATH.
    paths = list(dict.fromkeys([str(app), str(DEFAULT_APP)]))
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        import uvicorn
        from monailabel.interfaces.exception import MONAILabelException
        from monailabel.interfaces.utils.app import app_instance
        from monailabel.main import Main
        from monailabel.utils.others.generic import init_log_config
    except ImportError as error:
        raise OptionError(
            f"the server needs a package that is not installed ({error.name})",
            remedy="Install the extra: pip install 'vertenet[all]'",
        ) from error

    host, port = listener.getsockname()[:2]
    level = "INFO" if verbose else "WARNING"
    command = ["start_server", "--app", str(app), "--studies", str(studies), "--host", host, "--port", str(port)]
    if model is not None:
        command += ["--conf", "model", model]
    monai = Main(loglevel=level)
    try:
        monai.start_server_init_settings(monai.args_parser().parse_args(command))
        log_config = init_log_config(None, str(app), "app.log", level)
    except OSError as error:
        raise OptionError(f"the app's folder cannot be written to ({error.strerror})", subject=str(app)) from error

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            if self.started:
                print(f"VerteNet is ready on {_url(host, port)} (images: {studies}). Ctrl+C stops it.", flush=True)

    config = uvicorn.Config(
        "labelapp.gateway:app",
        log_config=log_config,
        log_level="info" if verbose else "warning",
        access_log=verbose,
        timeout_graceful_shutdown=GRACE_S,
    )
    Path(log_config).unlink()  # a temporary file of MONAI Label's, read by now
    if not ipaddress.ip_address(host).is_loopback:
        print("WARNING: everybody who can reach this address can read and change the images and labels.", flush=True)
    try:
        app_instance()
    except MONAILabelException as error:
        raise OptionError(error.msg, subject=str(app)) from error
    server = Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise OptionError("the server did not start", remedy="Its log above says why")


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
