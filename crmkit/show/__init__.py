"""Everything that draws: charts whose titles state what the data show, cards and tables in HTML, the RFM widget.

A chart is matplotlib Axes in the house style (`crmkit.show.style`): the global settings stay as they are, `ax=`
draws into your own figure, and `.alt_text` tells the chart in words.
"""

from crmkit.show.cards import ledger_table, segment_cards
from crmkit.show.explorer import RfmView, rfm_explorer, rfm_view
from crmkit.show.ledger_plot import ledger
from crmkit.show.rfm_plots import rfm_heat_map, score_distribution
from crmkit.show.segment_plots import migration, segment_bars

__all__ = [
    "RfmView",
    "ledger",
    "ledger_table",
    "migration",
    "rfm_explorer",
    "rfm_heat_map",
    "rfm_view",
    "score_distribution",
    "segment_bars",
    "segment_cards",
]
