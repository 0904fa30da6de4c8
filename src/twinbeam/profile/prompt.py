"""What stands before `In [1]:`: the state of the beamline, of which nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from IPython.terminal.prompts import Prompts, Token

from twinbeam.devices import Beamline

__all__ = ["BeamlineState", "StatePrompt", "Watcher", "words"]

_NO_BEAM_MA = 1.0


@dataclass(frozen=True)
class BeamlineState:
    """What the prompt shows; None where nothing is known, such as of a record that is away.

    Attributes
    ----------
    site
        What the site is called.
    current_ma
        Stored current.
    shutter
        ``Open`` or ``Closed``.
    theta_deg
        Where the crystal stands.
    bragg_deg
        The Bragg angle that was found; None before that.
    engine
        State of the RunEngine.
    """

    site: str
    current_ma: float | None
    shutter: str | None
    theta_deg: float | None
    bragg_deg: float | None
    engine: str = "idle"


def words(state: BeamlineState) -> list[tuple[Any, str]]:
    """Pieces of the prompt, with IPython's tokens for their colours; alarming ones stand out."""
    alarm, calm = Token.OutPrompt, Token.Prompt
    pieces = [(calm, state.site)]
    if state.current_ma is None:
        pieces.append((alarm, "ring ?"))
    elif state.current_ma < _NO_BEAM_MA:
        pieces.append((alarm, "no beam"))
    else:
        pieces.append((calm, f"{state.current_ma:.0f} mA"))
    shutter = (state.shutter or "?").lower()
    pieces.append((alarm if shutter != "closed" else calm, f"shutter {shutter}"))
    if state.theta_deg is None:
        pieces.append((alarm, "θ ?"))
    elif state.bragg_deg is None:
        pieces.append((calm, f"θ {state.theta_deg:.4f}°"))
    else:
        mdeg = round(1e3 * (state.theta_deg - state.bragg_deg), 1) + 0.0  # never -0.0
        pieces.append((calm, f"Δθ {mdeg:+.1f} mdeg"))
    if state.engine != "idle":
        pieces.append((alarm, f"RE {state.engine}"))
    between = [piece for each in pieces for piece in ((calm, " · "), each)]
    return between[1:]


class Watcher:
    """Keeps the newest values of a few signals; `state` asks nobody.

    Parameters
    ----------
    beamline
        The instruments; those that are away now are watched when they come.
    engine
        The RunEngine.
    site
        What the site is called.
    """

    def __init__(self, beamline: Beamline, engine: Any, site: str) -> None:
        self._engine, self._site = engine, site
        self._goniometer = beamline.goniometer
        self._signals = {
            "current": beamline.ring.current,
            "shutter": beamline.shutter.status,
            "theta": beamline.goniometer.theta.user_readback,
        }
        self._newest: dict[str, Any] = {}
        for name, signal in self._signals.items():
            signal.subscribe(partial(self._take, name))

    def _take(self, _name: str, value: Any = None, **_: Any) -> None:
        self._newest[_name] = value

    def _known(self, name: str) -> Any:
        return self._newest.get(name) if self._signals[name].connected else None

    @property
    def state(self) -> BeamlineState:
        """The newest values that came."""
        current, shutter, theta = (self._known(name) for name in self._signals)
        found = self._goniometer.bragg_found.get()
        return BeamlineState(
            site=self._site,
            current_ma=None if current is None else float(current),
            shutter=None if shutter is None else str(shutter),
            theta_deg=None if theta is None else float(theta),
            bragg_deg=float(self._goniometer.bragg.get()) if found else None,
            engine=str(self._engine.state),
        )


class StatePrompt(Prompts):
    """IPython's prompt after the state of the beamline.

    Parameters
    ----------
    shell
        A shell in a terminal.
    watcher
        Where the state comes from.
    """

    def __init__(self, shell: Any, watcher: Watcher) -> None:
        super().__init__(shell)
        self._watcher = watcher

    def in_prompt_tokens(self) -> list[tuple[Any, str]]:
        """The state, then `In [1]:`; the usual prompt alone if the state cannot be told."""
        usual: list[tuple[Any, str]] = super().in_prompt_tokens()
        try:
            return [*words(self._watcher.state), (Token.Prompt, " "), *usual]
        except Exception:  # a prompt that fails would end the session
            return usual
