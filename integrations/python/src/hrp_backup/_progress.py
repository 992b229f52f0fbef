"""Shows how far an operation is: in a notebook, on a terminal, or to a function of the caller."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Progress(NamedTuple):
    """How far an operation is.

    ``total_bytes`` is 0 while it is not known.
    """

    phase: str
    step: str
    done_bytes: int
    total_bytes: int

    @property
    def text(self) -> str:
        """The same as a line for people: ``copying the database: 120.0 MB of 300.0 MB``."""
        parts = [self.step] if self.step else []
        if self.done_bytes:
            of_all = f" of {_megabytes(self.total_bytes)}" if self.total_bytes >= self.done_bytes else ""
            parts.append(_megabytes(self.done_bytes) + of_all)
        return self.phase + (": " + ", ".join(parts) if parts else "")


# True or None: where somebody sees it. False: not at all. A function: it is called.
ProgressOption = None | bool | Callable[[Progress], None]


def progress_view(option: ProgressOption) -> _View:
    """What shows the progress of one operation; it is used in a ``with`` statement."""
    if option is False:
        return _View()
    if callable(option):
        return _Told(option)
    if _is_notebook():
        return _Notebook()
    return _Line() if sys.stderr is not None and sys.stderr.isatty() else _View()


class _View:
    """Shows nothing."""

    def __enter__(self) -> _View:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def show(self, event: Mapping[str, Any]) -> None:
        try:
            progress = Progress(
                str(event["phase"]), str(event["step"]), int(event["done_bytes"]), int(event["total_bytes"])
            )
        except (KeyError, TypeError, ValueError):
            return  # a newer program says it in another way
        self.draw(progress)

    def draw(self, progress: Progress) -> None:
        pass

    def end(self) -> None:
        pass


class _Told(_View):
    def __init__(self, function: Callable[[Progress], None]) -> None:
        self.function = function

    def draw(self, progress: Progress) -> None:
        self.function(progress)


class _Line(_View):
    """One line on a terminal, erased at the end."""

    def draw(self, progress: Progress) -> None:
        sys.stderr.write("\r\x1b[K" + progress.text[:100])
        sys.stderr.flush()

    def end(self) -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


class _Notebook(_View):
    """A bar below the cell of a notebook, gone at the end."""

    def __init__(self) -> None:
        self.handle: Any | None = None

    def draw(self, progress: Progress) -> None:
        from html import escape

        from IPython.display import HTML, display  # type: ignore[import-not-found]

        of_all = f' value="{progress.done_bytes}" max="{progress.total_bytes}"' if progress.total_bytes else ""
        bar = HTML(f"<progress{of_all}></progress> {escape(progress.text)}")
        if self.handle is None:
            self.handle = display(bar, display_id=True)
        else:
            self.handle.update(bar)

    def end(self) -> None:
        if self.handle is not None:
            from IPython.display import HTML

            self.handle.update(HTML(""))


def _is_notebook() -> bool:
    # A notebook has IPython loaded already; it is never loaded for this question.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


def _megabytes(count: int) -> str:
    return f"{count / 1024**2:.1f} MB"
