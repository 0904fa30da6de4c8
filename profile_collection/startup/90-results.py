"""What to look at while a run goes on and afterwards."""

from twinbeam.pipeline import Recipe, summary
from twinbeam.replay import replay
from twinbeam.view import draw_overview, save_figures
