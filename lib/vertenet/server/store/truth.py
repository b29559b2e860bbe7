"""Who may say what training believes: a label's tag decides whether it counts, so not everybody chooses it freely."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from vertenet.errors import OptionError

from ..identity import current_caller
from .history import Action
from .names import CONSENSUS, ORIGINAL, REVIEWED, check_tag

#: The role that a label needs which counts as reviewed.
REVIEWER = "reviewer"


def tag_for(tag: object, action: Action) -> str:
    """The tag under which a label is kept.

    A model's answer is ``original``, whatever was asked for. A consensus comes from the server's own operation alone.
    Where tokens are in use, ``reviewed`` needs the role `REVIEWER`; without them nobody is known, and nobody refused.

    Raises
    ------
    OptionError
        The tag is no plain word, or is the server's alone.
    HTTPException
        403: the caller's role does not suffice.
    """
    tag = check_tag(tag)
    if action == "proposed":
        return ORIGINAL
    if tag == CONSENSUS and action != "consensus":
        raise OptionError(
            "a consensus is made by the server, out of the labels of two annotators",
            remedy="Submit the label as final, and ask for POST /datastore/consensus",
        )
    caller = current_caller.get()
    if tag == REVIEWED and caller is not None and not caller.may(REVIEWER):
        raise HTTPException(
            403,
            f"To submit a label as reviewed needs the role {REVIEWER}, but {caller.name} has the role {caller.role}.",
        )
    return tag
