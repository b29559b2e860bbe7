"""MONAI Label's own endpoints, off the event loop.

They are written as coroutines but wait for nothing, so that a slow disk or a large store holds up every other request.
Here each runs in a worker thread.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

from fastapi import APIRouter
from monailabel.endpoints.user.auth import User

from ..identity import ANONYMOUS, current_caller
from .paths import for_caller


def adopt(router: APIRouter, without: Collection[str] = ()) -> APIRouter:
    """The routes of ``router``, except those named as ``METHOD /path`` in ``without``."""
    adopted = APIRouter(tags=router.tags)
    for route in router.routes:
        methods = sorted(route.methods - {name.split()[0] for name in without if name.split()[1] == route.path})
        if methods:
            adopted.add_api_route(
                route.path,
                _in_a_thread(route.endpoint),
                methods=methods,
                summary=route.summary,
                deprecated=route.deprecated,
                include_in_schema=route.include_in_schema,
            )
    return adopted


def _in_a_thread(handler: Callable[..., Any]) -> Callable[..., Any]:
    """``handler`` as a plain function, which FastAPI runs in a thread, without its own question for the user."""
    signature = inspect.signature(handler)
    asks = "user" in signature.parameters

    def answer(**parameters: Any) -> Any:
        if asks:
            caller = current_caller.get()
            parameters["user"] = User(username=caller.name if caller else ANONYMOUS)
        try:
            handler(**parameters).send(None)
        except StopIteration as done:
            return for_caller(done.value) if isinstance(done.value, (dict, list)) else done.value
        raise RuntimeError(f"{handler.__name__} waits for something, so it cannot run in a thread")

    answer.__name__, answer.__doc__ = handler.__name__, handler.__doc__
    answer.__signature__ = signature.replace(
        parameters=[parameter for name, parameter in signature.parameters.items() if name != "user"]
    )
    return answer
