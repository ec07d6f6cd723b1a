"""What a layer or a loss was made with stays as it is: it is their name, and files keep it."""

from __future__ import annotations

from typing import Any


class Described:
    """The base of layers and losses: `arguments` are what the constructor got."""

    arguments: dict[str, Any]

    def __setattr__(self, name: str, value: Any) -> None:
        """AttributeError for a second value of an argument: repr and files would show the first."""
        if name in vars(self) and name in vars(self).get("arguments", ()):
            raise AttributeError(
                f"{type(self).__name__}: {name} is fixed when it is made; make another one"
            )
        super().__setattr__(name, value)
