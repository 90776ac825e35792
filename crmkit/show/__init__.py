# ruff: noqa: F401
"""Everything that draws: charts whose titles state what the data show, cards and tables in HTML, the RFM widget.

A chart is matplotlib Axes in the house style (`crmkit.show.style`): the global settings stay as they are, `ax=`
draws into your own figure, and `.alt_text` tells the chart in words.
"""

from crmkit.show.acquisition_plots import (
    acquisition_costs,
    attribution_bars,
    calibration_curves,
    funnel_bars,
    lift_curves,
)
from crmkit.show.archive_cards import archive_card, timeline, visit_brief
from crmkit.show.attribution_explorer import AttributionView, attribution_explorer, attribution_view
from crmkit.show.brand_explorer import BrandView, brand_explorer, brand_view
from crmkit.show.brand_plots import due_hits, nine_cells, offer_effects, switchers_by_trips
from crmkit.show.cards import ledger_table, segment_cards
from crmkit.show.churn_explorer import ChurnView, churn_explorer, churn_view
from crmkit.show.churn_plots import churn_by_horizon, cost_curve, lead_time, leaving_reasons
from crmkit.show.claims_plots import definition_grid, shares_with_sizes, source_timeline
from crmkit.show.cluster_plots import (
    ClusterView,
    choice_of_k,
    cluster_explorer,
    cluster_profiles,
    cluster_view,
    rules_above_chance,
)
from crmkit.show.effect_plots import trends, uplift
from crmkit.show.explorer import RfmView, rfm_explorer, rfm_view
from crmkit.show.identity_explorer import IdentityView, identity_explorer, identity_view
from crmkit.show.ledger_plot import ledger
from crmkit.show.portrait_cards import portrait_card, portrait_coverage
from crmkit.show.principle_plots import GrainView, grain_explorer, grain_view, known_by_fifth, principle_grid
from crmkit.show.purpose_plot import purpose_grid
from crmkit.show.recognition_plots import RecognitionView, recognition_explorer, recognition_view
from crmkit.show.referral_plot import referral_tree
from crmkit.show.retention_plots import (
    cohort_heat_map,
    model_tracking,
    purchase_frequencies,
    scorecard,
    survival_curve,
)
from crmkit.show.rfm_plots import rfm_heat_map, score_distribution
from crmkit.show.segment_plots import migration, segment_bars
from crmkit.show.stage_explorer import StageView, stage_explorer, stage_view
from crmkit.show.stage_plots import mix_forecast, stage_mix, transition_matrix
from crmkit.show.target_plots import TagView, kept_promises, tag_explorer, tag_view, target_costs
from crmkit.show.value_band_plots import BandView, band_explorer, band_view, lorenz_curve, value_band_map
from crmkit.show.value_explorer import SilenceView, silence_explorer, silence_view

#: What is imported here is what the room offers; a name stands in one place.
__all__ = [name for name, offered in globals().items() if callable(offered) and not name.startswith("_")]
