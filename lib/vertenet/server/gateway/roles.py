"""Which role each route asks for. What is not written here is for admins: a forgotten route is closed, not open."""

from __future__ import annotations

import re

#: Answered without a token: probes carry none, and a client asks here whether and how to log in.
OPEN = frozenset({("GET", "/health/live"), ("GET", "/health/ready"), ("GET", "/auth/"), ("POST", "/auth/token")})

#: Role to what it may do beyond the roles before it. ``{}`` stands for one part of a path.
ROUTES: dict[str, tuple[str, ...]] = {
    "reader": (
        "GET /",
        "GET /openapi.json",
        "GET /metrics",
        "GET /auth/token/valid",
        "GET /info/",
        "POST /infer/{}",
        "GET /datastore/",
        "GET /datastore/image",
        "GET /datastore/image/info",
        "GET /datastore/label",
        "GET /datastore/label/info",
        "GET /datastore/label/history",
        "GET /datastore/label/revision",
        "GET /datastore/label/reading",
        "GET /datastore/agreement",
        "GET /train/",
        "GET /scoring/",
        "GET /batch/infer",
        "GET /models/versions",
        "PUT /session/",
        "GET /session/{}",
        "DELETE /session/{}",
    ),
    "annotator": (
        "POST /activelearning/skip",
        "POST /activelearning/{}",
        "GET /activelearning/leases",
        "PUT /datastore/",
        "PUT /datastore/image",
        "PUT /datastore/image/info",
        "PUT /datastore/label",
        "PUT /datastore/label/info",
        "PUT /datastore/labels",
        "PUT /datastore/updatelabelinfo",
        "POST /datastore/consensus",
        "GET /datastore/dataset",
        "POST /scoring/{}",
        "DELETE /scoring/",
    ),
    # Beyond routes: may submit labels that count as reviewed, see `store.truth`.
    "reviewer": (),
    "admin": (
        "DELETE /datastore/",
        "DELETE /datastore/image",
        "DELETE /datastore/label",
        "POST /train/",
        "POST /train/{}",
        "DELETE /train/",
        "POST /batch/infer/{}",
        "DELETE /batch/infer",
        "GET /model/{}",
        "GET /model/info/{}",
        "POST /models/rollback",
        "POST /models/publish",
        "GET /logs/",
    ),
}


def template(method: str, path: str) -> str:
    """The route of a request as written above, such as ``POST /infer/{}``; ``unknown`` where there is none.

    HEAD counts as GET.
    """
    wanted = f"{'GET' if method == 'HEAD' else method} {path}"
    # A path without its last slash is redirected to the one with it, which is checked again.
    spellings = (wanted, f"{wanted}/")
    return next((route for route, pattern, _ in _TABLE if any(map(pattern.fullmatch, spellings))), "unknown")


def role_of(method: str, path: str) -> str | None:
    """The role that a request needs, or None where none is."""
    if (method, path) in OPEN:
        return None
    route = template(method, path)
    return next((role for name, _, role in _TABLE if name == route), "admin")


def _compiled() -> list[tuple[str, re.Pattern[str], str | None]]:
    rows: list[tuple[str, str | None]] = [(f"{method} {path}", None) for method, path in sorted(OPEN)]
    rows += [(route, role) for role, routes in ROUTES.items() for route in routes]
    # Routes with a fixed path come before those with a part that may be anything, as in the application.
    rows.sort(key=lambda row: row[0].count("{}"))
    return [(route, re.compile(re.escape(route).replace(r"\{\}", "[^/]+")), role) for route, role in rows]


_TABLE = _compiled()
