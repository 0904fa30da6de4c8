"""What to look at while a run goes on and afterwards, and what there is at all."""

from twinbeam.pipeline import Recipe, summary
from twinbeam.profile import add_help
from twinbeam.replay import replay
from twinbeam.view import draw_overview, save_figures

add_help(globals())
