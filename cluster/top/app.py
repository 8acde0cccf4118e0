"""``smplab top`` on a terminal, with textual (an extra of the distribution)."""

from collections.abc import Callable
from typing import ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from cluster.rundir import RunDirError
from cluster.top.session import TICK_S, Session
from cluster.top.view import SORTS, Looks, lines_of
from cluster.trace.format import TraceError

_HELP: Final = """\
 space      stop, go on
 + -        faster, slower
 right left a second of watching forwards, backwards
 > <        ten of them
 home end   to the beginning; to the end, and on with a run that goes on
 .          a quarter of a second further, and stop

 P T N A    tasks by CPU, time, pid, name
 r          the other way round
 H          threads, or processes
 up down    through the tasks, also pgup, pgdn
 c          other CPUs, where not all have room
 l          locks, or not

 h ?        this
 q          quit"""


class Help(ModalScreen[None]):
    """The keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,h,question_mark,space,enter", "app.pop_screen", "back")
    ]
    CSS = "Help { align: center middle; } Help > Static { width: auto; border: round; padding: 1; }"

    def compose(self) -> ComposeResult:
        """Show them."""
        yield Static(_HELP)


class Top(App[None]):
    """The application.

    Args:
        session: of who watches.

    Attributes:
        failure: why it ended, if not because somebody wanted it.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = "#frame { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("h,question_mark", "help", "help", key_display="?"),
        Binding("ctrl+c", "quit", "quit", show=False),
        Binding("space", "pause", "stop"),
        Binding("plus,equals_sign", "speed(2)", "faster", key_display="+"),
        Binding("minus", "speed(0.5)", "slower", key_display="-"),
        Binding("left", "step(-1)", "back", key_display="←"),
        Binding("right", "step(1)", "on", key_display="→"),
        Binding("less_than_sign,shift+left", "step(-10)", show=False),
        Binding("greater_than_sign,shift+right", "step(10)", show=False),
        Binding("full_stop", "one_tick", show=False),
        Binding("home", "begin", show=False),
        Binding("end", "end", "to the end", key_display="end"),
        Binding("P", "sort('cpu')", "by CPU"),
        Binding("T", "sort('time')", "time"),
        Binding("N", "sort('pid')", "pid"),
        Binding("A", "sort('name')", show=False),
        Binding("r", "switch('backwards')", show=False),
        Binding("H", "switch('threads')", "threads"),
        Binding("c", "cpus", show=False),
        Binding("l", "switch('locks')", "locks"),
        Binding("up,k", "scroll_tasks(-1)", show=False),
        Binding("down,j", "scroll_tasks(1)", show=False),
        Binding("pageup", "scroll_tasks(-20)", show=False),
        Binding("pagedown", "scroll_tasks(20)", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(ansi_color=True)
        self.session = session
        self.looks = Looks()
        self.failure: Exception | None = None
        self._due = False  # there is more to do, and a timer for it

    def compose(self) -> ComposeResult:
        """Make the screen: one frame of lines, and the keys."""
        yield Static(id="frame")
        yield Footer()

    def on_mount(self) -> None:
        """Begin."""
        self.set_interval(TICK_S, self.tick)
        self.call_after_refresh(self.tick)

    def on_resize(self, _event: Resize) -> None:
        """Write the lines anew."""
        self.call_after_refresh(self._draw)

    # -- as time goes by --------------------------------------------------------------------------

    def tick(self) -> None:
        """See what has come, go on, and show it."""
        self._look(self.session.tick)

    def _work_on(self) -> None:
        self._due = False
        self._work()

    def _work(self) -> None:
        self._look(self.session.work)

    def _look(self, go: Callable[[], bool]) -> None:
        """Go on; if the goal is far, again as soon as keys have been looked at."""
        try:
            if not go() and not self._due:
                self._due = True
                self.set_timer(0.01, self._work_on)
        except (TraceError, RunDirError, OSError) as error:
            self.failure = error
            self.exit()
        self._draw()

    def _draw(self) -> None:
        frame = self.screen_stack[0].query_one("#frame", Static)
        width, height = frame.size
        if width and height:
            lines = lines_of(self.session.shown(), self.looks, width, height)
            frame.update(Text("\n", no_wrap=True).join(lines))

    # -- keys -------------------------------------------------------------------------------------

    def action_pause(self) -> None:
        """Stop, or go on."""
        self.session.pause()
        self._draw()

    def action_speed(self, factor: float) -> None:
        """Go faster or slower."""
        self.session.change_speed(factor)
        self._draw()

    def action_step(self, seconds: int) -> None:
        """Go so many seconds of watching forwards or backwards."""
        self.session.step(seconds)
        self._work()

    def action_one_tick(self) -> None:
        """Go a little further, and stop."""
        self.session.one_tick()
        self._work()

    def action_begin(self) -> None:
        """Go to the beginning."""
        self.session.stand_at(0)
        self._work()

    def action_end(self) -> None:
        """Go to the end; with a run that goes on, go on."""
        self.session.end()
        self._work()

    def action_sort(self, by: str) -> None:
        """Sort tasks, by one of SORTS."""
        assert by in SORTS
        self.looks.sort, self.looks.first_task = by, 0
        self._draw()

    def action_switch(self, name: str) -> None:
        """Change what of ``Looks`` is yes or no."""
        setattr(self.looks, name, not getattr(self.looks, name))
        self._draw()

    def action_cpus(self) -> None:
        """Show other CPUs."""
        self.looks.first_cpu += 1
        self._draw()

    def action_scroll_tasks(self, lines: int) -> None:
        """Go through the tasks."""
        most = max(0, len(self.session.player.machine.table.tasks) - 1)
        self.looks.first_task = max(0, min(most, self.looks.first_task + lines))
        self._draw()

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(Help())
