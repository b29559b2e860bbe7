"""The states of a session and what each of them allows: the one table that every button follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Optional


class Phase(str, Enum):
    """How far the work on an image is."""

    NO_IMAGE = "no image"
    IMAGE = "image"  # an image without landmarks
    EDITING = "editing"  # an image with landmarks

    __str__ = str.__str__


class Action(str, Enum):
    """Everything that a button starts."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    START_SERVER = "start server"
    STOP_SERVER = "stop server"
    NEXT_IMAGE = "next image"
    PREVIOUS_IMAGE = "previous image"
    USE_VOLUME = "use volume"
    RESTORE_DRAFT = "restore draft"
    UPLOAD = "upload"
    SET_SPACING = "set spacing"
    ADJUST_VIEW = "adjust view"
    AUTO_LANDMARK = "auto-landmark"
    START_BY_HAND = "start by hand"  # 24 points to place, without a model
    EDIT = "edit"
    UNDO = "undo"  # grades and landmarks
    CONFIRM_LEVELS = "confirm levels"
    SWAP = "swap reading"  # to the model's second reading
    SCORE = "score"  # AAC-24, notes
    EXPORT = "export"
    SUBMIT = "submit"
    SKIP = "skip"
    COMPARE = "compare"  # the readings of several people
    SEND_UNSENT = "send unsent"
    TRAIN = "train"
    STOP_TRAINING = "stop training"
    ROLL_BACK = "roll back"
    SET_UP = "set up"  # habits, the summary of a sitting
    CANCEL = "cancel"

    __str__ = str.__str__


@dataclass(frozen=True)
class Situation:
    """All that decides what is allowed.

    ``on_server``: the image is one of the server's. ``busy``: a request runs in the background. ``unsent``: labels wait
    to be sent. ``alternative``: the model offers a second reading. ``local_server``: None where the package is not
    installed here, else whether the server that this module started runs.
    """

    online: bool = False
    phase: Phase = Phase.NO_IMAGE
    busy: bool = False
    on_server: bool = False
    unsent: int = 0
    training: bool = False
    can_train: bool = False
    alternative: bool = False
    local_server: Optional[bool] = None


class Need(str, Enum):
    """What an action waits for; a panel has a sentence for each."""

    IDLE = "no request under way"
    REQUEST = "a request under way"
    ONLINE = "a server"
    IMAGE = "an image"
    SERVER_IMAGE = "an image of the server"
    OWN_IMAGE = "an image that the server does not have"
    NO_LANDMARKS = "an image without landmarks"
    LANDMARKS = "landmarks"
    ALTERNATIVE = "a second reading"
    UNSENT = "labels that wait to be sent"
    TRAINER = "the right to train"
    TRAINING = "a training under way"
    NO_TRAINING = "no training under way"
    PACKAGE = "the package vertenet"
    SERVER_RUNNING = "a local server"
    SERVER_STOPPED = "no local server"

    __str__ = str.__str__


_MET: dict[Need, Callable[[Situation], bool]] = {
    Need.IDLE: lambda s: not s.busy,
    Need.REQUEST: lambda s: s.busy,
    Need.ONLINE: lambda s: s.online,
    Need.IMAGE: lambda s: s.phase is not Phase.NO_IMAGE,
    Need.SERVER_IMAGE: lambda s: s.on_server,
    Need.OWN_IMAGE: lambda s: not s.on_server,
    Need.NO_LANDMARKS: lambda s: s.phase is not Phase.EDITING,
    Need.LANDMARKS: lambda s: s.phase is Phase.EDITING,
    Need.ALTERNATIVE: lambda s: s.alternative,
    Need.UNSENT: lambda s: s.unsent > 0,
    Need.TRAINER: lambda s: s.can_train,
    Need.TRAINING: lambda s: s.training,
    Need.NO_TRAINING: lambda s: not s.training,
    Need.PACKAGE: lambda s: s.local_server is not None,
    Need.SERVER_RUNNING: lambda s: s.local_server is True,
    Need.SERVER_STOPPED: lambda s: s.local_server is not True,
}

#: What each action needs, the first thing to see to first.
NEEDS: dict[Action, tuple[Need, ...]] = {
    Action.CONNECT: (Need.IDLE,),
    Action.DISCONNECT: (Need.IDLE, Need.ONLINE),
    Action.START_SERVER: (Need.IDLE, Need.PACKAGE, Need.SERVER_STOPPED),
    Action.STOP_SERVER: (Need.IDLE, Need.SERVER_RUNNING),
    Action.NEXT_IMAGE: (Need.IDLE, Need.ONLINE),
    Action.PREVIOUS_IMAGE: (Need.IDLE,),
    Action.USE_VOLUME: (Need.IDLE,),
    Action.RESTORE_DRAFT: (Need.IDLE,),
    Action.UPLOAD: (Need.IDLE, Need.IMAGE, Need.OWN_IMAGE, Need.ONLINE),
    Action.SET_SPACING: (Need.IDLE, Need.IMAGE),
    Action.ADJUST_VIEW: (Need.IMAGE,),
    Action.AUTO_LANDMARK: (Need.IDLE, Need.IMAGE, Need.ONLINE, Need.SERVER_IMAGE),
    Action.START_BY_HAND: (Need.IDLE, Need.IMAGE, Need.NO_LANDMARKS),
    Action.EDIT: (Need.IDLE, Need.LANDMARKS),
    Action.UNDO: (Need.IDLE, Need.IMAGE),
    Action.CONFIRM_LEVELS: (Need.IDLE, Need.LANDMARKS),
    Action.SWAP: (Need.IDLE, Need.LANDMARKS, Need.ALTERNATIVE),
    Action.SCORE: (Need.IDLE, Need.IMAGE),
    Action.EXPORT: (Need.IDLE, Need.LANDMARKS),
    # Offline too: the label is kept and sent later.
    Action.SUBMIT: (Need.IDLE, Need.LANDMARKS, Need.SERVER_IMAGE),
    Action.SKIP: (Need.IDLE, Need.IMAGE, Need.ONLINE, Need.SERVER_IMAGE),
    Action.COMPARE: (Need.IDLE, Need.IMAGE, Need.ONLINE, Need.SERVER_IMAGE),
    Action.SEND_UNSENT: (Need.IDLE, Need.ONLINE, Need.UNSENT),
    Action.TRAIN: (Need.IDLE, Need.ONLINE, Need.TRAINER, Need.NO_TRAINING),
    Action.STOP_TRAINING: (Need.IDLE, Need.ONLINE, Need.TRAINING),
    Action.ROLL_BACK: (Need.IDLE, Need.ONLINE, Need.TRAINER, Need.NO_TRAINING),
    Action.SET_UP: (Need.IDLE,),
    Action.CANCEL: (Need.REQUEST,),
}


def unmet(situation: Situation, action: Action) -> Optional[Need]:
    """The first thing that an action waits for; None where it may be started."""
    return next((need for need in NEEDS[action] if not _MET[need](situation)), None)


def allows(situation: Situation, action: Action) -> bool:
    """Whether a button may be pressed."""
    return unmet(situation, action) is None
