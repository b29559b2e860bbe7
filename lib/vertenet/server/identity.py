"""Who is asking: the holder of a token, and the annotator under whose name a label is kept.

The gateway sets `current_caller` for the length of a request. Under MONAI Label's own server, and while no tokens are
in use, it stays None; the annotator is then whoever the request says, which is a name and no proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .tokens import ROLES, check_name

#: The name of everybody who gives none.
ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Caller:
    """The holder of a valid token.

    Attributes
    ----------
    name : str
        The name under which the token was issued.
    role : {"reader", "annotator", "reviewer", "admin"}
    """

    name: str
    role: str

    def may(self, role: str) -> bool:
        """Whether this caller's role includes ``role``."""
        return ROLES.index(self.role) >= ROLES.index(role)


#: Set per request; the worker threads in which a request is answered see it.
current_caller: ContextVar[Caller | None] = ContextVar("current_caller", default=None)


def annotator_of(request: Mapping[str, Any] | None = None) -> str:
    """The annotator of a request: the token's name where there is one, whatever the request says.

    Parameters
    ----------
    request : mapping, optional
        Parameters of a request or a label's info; ``annotator`` counts before ``client_id``.

    Raises
    ------
    OptionError
        The name in the request is not a plain word.
    """
    caller = current_caller.get()
    if caller is not None:
        return caller.name
    request = request or {}
    name = request.get("annotator") or request.get("client_id")
    return ANONYMOUS if name in (None, "") else check_name(name)
