"""The ASGI application of ``vertenet serve``: MONAI Label's endpoints, put together anew.

From MONAI Label come the routers; from here come the inference route that does not block, errors with a sentence,
and the absence of what this app has no use for: whole-slide inference (it would run on the event loop), the open
``/reload``, and the CORS rule that answers every origin with its credentials. Other origins are refused unless
``MONAI_LABEL_CORS_ORIGINS`` names them.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from monailabel import endpoints
from monailabel.config import settings
from monailabel.endpoints import (
    activelearning,
    batch_infer,
    datastore,
    info,
    login,
    logs,
    model,
    ohif,
    proxy,
    scoring,
    session,
    train,
)
from monailabel.interfaces.utils.app import app_instance

from . import inference_route, problems

STOCK_ENDPOINTS = (info, model, batch_infer, train, activelearning, scoring, datastore, logs, ohif, proxy, session)


@asynccontextmanager
async def _lifespan(app: FastAPI):
    instance = app_instance()
    instance.server_mode(True)
    instance.on_init_complete()
    yield


def create_app() -> FastAPI:
    app = FastAPI(title="VerteNet server", docs_url=None, redoc_url="/docs", lifespan=_lifespan)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[str(origin).rstrip("/") for origin in settings.MONAI_LABEL_CORS_ORIGINS],
        allow_methods=["*"],
        allow_headers=["*"],
    )
    problems.install(app)
    app.include_router(inference_route.router, prefix=settings.MONAI_LABEL_API_STR)
    for endpoint in (*STOCK_ENDPOINTS, login) if settings.MONAI_LABEL_AUTH_ENABLE else STOCK_ENDPOINTS:
        app.include_router(endpoint.router, prefix=settings.MONAI_LABEL_API_STR)
    app.mount("/static", StaticFiles(directory=Path(endpoints.__file__).with_name("static")), name="static")

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/docs")

    return app


app = create_app()
