"""The registry of networks: a name, and a function with keyword options that builds the module."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from torch import nn

from ...errors import ModelError, OptionError

_BUILDERS: dict[str, Callable[..., nn.Module]] = {}
_UNLISTED: set[str] = set()


def register(name: str, *, listed: bool = True) -> Callable[[Callable[..., nn.Module]], Callable[..., nn.Module]]:
    """Decorator: make a function buildable by ``name``. Its keyword parameters are the network's options.

    The first line of its docstring is the network's description. The module it returns has attributes ``input_size``
    (rows, columns), ``stride`` and ``level_names`` (or None).

    Parameters
    ----------
    name : str
    listed : bool
        False for what is no method by itself, such as the refiner of corners: `names` leaves it out.

    Raises
    ------
    ValueError
        The name is taken.
    """

    def keep(builder: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        if name in _BUILDERS:
            raise ValueError(f"a network called {name!r} is already registered")
        _BUILDERS[name] = builder
        if not listed:
            _UNLISTED.add(name)
        return builder

    return keep


def names() -> tuple[str, ...]:
    """Names of the networks that read whole images, sorted."""
    return tuple(sorted(set(_BUILDERS) - _UNLISTED))


def describe(name: str) -> str:
    """One sentence on a network: the first line of its builder's docstring.

    Raises
    ------
    ModelError
        No network has that name.
    """
    return (inspect.getdoc(_builder(name)) or "").partition("\n")[0]


def build(name: str, **options) -> nn.Module:
    """Build a network by name, in training mode, with fresh weights.

    Parameters
    ----------
    name : str
        One of `names()`, such as ``"vertenet"``.
    **options
        Those of the network's builder: ``input_size=(rows, columns)``, ``pretrained=True`` for an encoder with ImageNet
        weights, and others.

    Returns
    -------
    torch.nn.Module
        Called with images (B, 3, H, W) in [-0.5, 0.5]; returns a dict of maps, see `vertenet.networks.VerteNet`, or of
        its own kind where it is a `vertenet.networks.LandmarkNetwork`.
        ``module.built_as`` is the (name, options) that rebuilds it.

    Raises
    ------
    ModelError
        No network has that name, or its ImageNet weights cannot be had.
    OptionError
        The network has no such option, or not with that value.

    Examples
    --------
    >>> network = build("vertenet-lite")
    >>> network.input_size
    (512, 256)
    """
    builder = _builder(name)
    accepted = list(inspect.signature(builder).parameters)
    for option in options:
        if option not in accepted:
            raise OptionError(f"{name} has no option {option!r}", remedy=f"Its options: {', '.join(accepted)}")
    module = builder(**options)
    # Weights come from a file when a network is rebuilt, so it never asks for ImageNet's again.
    module.built_as = (name, {key: value for key, value in options.items() if key != "pretrained"})
    return module


def _builder(name: str) -> Callable[..., nn.Module]:
    if name not in _BUILDERS:
        raise ModelError(f"no network is called {name!r}", remedy=f"Known networks: {', '.join(names())}")
    return _BUILDERS[name]
