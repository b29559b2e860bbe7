"""Why a button cannot be pressed, as a sentence."""

from __future__ import annotations

from ..i18n import _
from ..states import Action, Need, Situation, unmet


def why_not(situation: Situation, action: Action) -> str:
    """What to do before an action can be started; empty where it can be."""
    need = unmet(situation, action)
    return "" if need is None else sentence(need)


def sentence(need: Need) -> str:
    return {
        Need.IDLE: _("Wait until the request has been answered, or cancel it."),
        Need.REQUEST: _("Nothing is under way."),
        Need.ONLINE: _("Connect to a server first."),
        Need.IMAGE: _("Load an image first."),
        Need.SERVER_IMAGE: _("The server does not have this image: send it there first."),
        Need.OWN_IMAGE: _("The server has this image already."),
        Need.NO_LANDMARKS: _("This image has landmarks already."),
        Need.LANDMARKS: _("There are no landmarks yet: press Auto-landmark, or place them by hand."),
        Need.ALTERNATIVE: _("The model offers no second reading of this image."),
        Need.UNSENT: _("Every label has been sent."),
        Need.TRAINER: _("This server does not train, or your token does not allow it."),
        Need.TRAINING: _("No training is under way."),
        Need.NO_TRAINING: _("Wait until the training has ended, or stop it."),
        Need.PACKAGE: _("The program vertenet was not found: name it below, or connect to a server elsewhere."),
        Need.SERVER_RUNNING: _("No server was started here."),
        Need.SERVER_STOPPED: _("The server runs already."),
    }[need]
