"""The ASGI application of ``vertenet serve``: MONAI Label's endpoints, put together anew behind one door.

From MONAI Label come the endpoints; from here come who may use which (`roles`), what a request may say (`requests`),
inference and tasks that do not block, errors with a sentence, and the absence of what this app has no use for:
whole-slide inference, the OHIF viewer and its DICOM proxy, the upload of weights, the open ``/reload``, and pages that
load scripts from elsewhere.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPBearer
from monailabel.config import settings
from monailabel.endpoints import datastore, info, model
from monailabel.interfaces.utils.app import app_instance

from vertenet import __version__
from vertenet.reading import RESEARCH_USE

from .. import problems
from ..active.routes import router as active_router
from ..audit import AuditLog
from ..options import ServerOptions
from ..state import LOG_FILE
from ..store.routes import router as store_router
from ..training.routes import router as training_router
from . import health, inference, login, logs, sessions, tasks
from .access import Access, Doorkeeper
from .journal import Journal
from .limits import BodyLimit
from .metrics import Metrics
from .neighbours import Neighbours
from .queue import InferenceQueue
from .requests import check_body, check_request, check_store
from .stock import adopt
from .stock_client import StockClient
from .uploads import UploadGate

AUDIT_FILE = "audit.log"


def create_app(options: ServerOptions, state: Path) -> FastAPI:
    """The application.

    Parameters
    ----------
    options : ServerOptions
    state : Path
        Folder of the server's state; the logs are written there.
    """
    app = FastAPI(
        title="VerteNet server",
        version=__version__,
        description=RESEARCH_USE,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        dependencies=[
            Depends(HTTPBearer(auto_error=False, description="See vertenet token")),
            Depends(check_store),
            Depends(check_body),
        ],
    )
    app.state.doorkeeper = Doorkeeper(options.tokens) if options.tokens else None
    app.state.audit = AuditLog(state / AUDIT_FILE)
    app.state.log = state / LOG_FILE
    app.state.metrics = Metrics()
    app.state.readiness = health.Readiness()
    app.state.queue = InferenceQueue(options.queue, app.state.metrics)
    problems.install(app)
    _protect(app, options, state)
    _route(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI):
    instance = app_instance()
    instance.server_mode(True)
    # A process of training that ends would ask this server for new scores, by plain HTTP, at a fixed address, without
    # a token; under TLS or with tokens it would fail for that. The server itself starts scoring when it is needed.
    os.environ["MONAI_LABEL_AUTO_UPDATE_SCORING"] = "false"
    instance.on_init_complete()
    yield
    # uvicorn has let running requests finish by now.
    tasks.stop_all()


def _protect(app: FastAPI, options: ServerOptions, state: Path) -> None:
    """Layers around all routes; the last one added is the outermost."""
    origins = {*options.origins, *(str(origin).rstrip("/") for origin in settings.MONAI_LABEL_CORS_ORIGINS)}
    app.add_middleware(StockClient)
    app.add_middleware(UploadGate, folders=(state,))
    app.add_middleware(BodyLimit, upload_bytes=int(options.max_upload_mib * (1 << 20)))
    app.add_middleware(Access, doorkeeper=app.state.doorkeeper)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted(origins),
        allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Content-Disposition", "Retry-After", "X-Request-Id"],
    )
    app.add_middleware(Neighbours, origins=origins, loopback_only=options.tokens is None)
    app.add_middleware(Journal, log=app.state.audit, metrics=app.state.metrics)


def _route(app: FastAPI) -> None:
    prefix, checked = settings.MONAI_LABEL_API_STR, [Depends(check_request)]
    for module in (health, login, inference, sessions, logs):
        app.include_router(module.router, prefix=prefix)
    # Ours come before MONAI Label's of the same path.
    app.include_router(store_router, prefix=prefix, dependencies=checked)
    app.include_router(adopt(datastore.router), prefix=prefix, dependencies=checked)
    app.include_router(active_router, prefix=prefix)
    app.include_router(training_router, prefix=prefix)
    app.include_router(tasks.router, prefix=prefix)
    app.include_router(adopt(info.router), prefix=prefix)
    app.include_router(adopt(model.router, without=("PUT /model/{model}", "DELETE /model/{model}")), prefix=prefix)

    @app.get("/", tags=["App"], summary="What this is")
    async def home() -> dict[str, str]:
        return {"name": app.title, "version": __version__, "notice": RESEARCH_USE, "openapi": "/openapi.json"}
