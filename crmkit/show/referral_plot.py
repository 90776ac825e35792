"""A referral tree: who brought whom, generation by generation."""

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from crmkit import escape
from crmkit.errors import InputError, KindError, near_misses
from crmkit.show import style
from crmkit.tables.frames import id_text
from crmkit.tables.referrals import Network

if TYPE_CHECKING:
    from networkx import DiGraph


def referral_tree(
    network: Network, root: object = None, *, names: "pd.Series | None" = None, ax: Axes | None = None
) -> Axes:
    """How did one customer become many, and on whom does the tree hang?

    `network` is the result of `tables.referrals.network`; `root` is the customer who began the tree (the largest one
    unless given), `names` what to call people, by customer_id. Generations run from left to right; a dot's area is the
    number of people behind it. The three who brought most directly are numbered and named. Raises InputError for a customer who began
    no tree, and for a circle, which has no beginning.

    >>> from crmkit.tables import referrals
    >>> links = pd.DataFrame({"customer_id": ["B", "C", "D"], "referred_by": ["A", "A", "C"]})
    >>> referral_tree(referrals.network(links, on=None)).get_title()
    'A tree of 4 customers in 3 generations: A brought 2 of them directly'
    """
    if not isinstance(network, Network):
        raise KindError(f"a network from tables.referrals.network is needed, not {type(network).__name__}.")
    trees = network.trees.set_index("root")
    if trees.empty:
        raise InputError("the network has no tree: there is nothing to draw.")
    start = trees.index[0] if root is None else id_text(root)
    if start not in trees.index:
        raise InputError(f"{start!r} began no tree.{near_misses(start, trees.index)}")
    if trees.loc[start, "circle"]:
        raise InputError(f"{start!r} is in a circle, which has no beginning and no tree; look at network.problems.")
    people = network.people[network.people["root"] == start]
    place = _places(network.graph, start)
    generations, members = int(trees.loc[start, "generations"]), len(people)
    hubs = people.sort_values(["direct", "downstream"], ascending=False, kind="stable").head(3)
    hubs = hubs[hubs["direct"] > 0]
    called = {each: str(names.get(each, each)) if names is not None else each for each in people.index}

    with style.house(ax, size=(9, min(max(4.5, 0.08 * members + 3), 9.5))) as axes:
        lines = [(place[by], place[who]) for by, who in network.graph.edges if by in place]
        axes.add_collection(LineCollection(lines, colors=style.PALETTE["grey"], linewidths=0.7, zorder=1))
        others = people.drop(index=hubs.index)
        where = [place[each] for each in others.index] or [(float("nan"), float("nan"))]
        sizes = 18 + 9 * others["downstream"].to_numpy(dtype=float) if len(others) else 18
        axes.scatter(*zip(*where, strict=True), s=sizes, color=style.PALETTE["sky"], edgecolor="white", zorder=2)
        words = []
        for number, (each, row) in enumerate(hubs.iterrows(), 1):
            words.append(f"{number}  {called[each]}: {row['direct']} directly, {row['downstream']} in all")
            size = max(18 + 9 * row["downstream"], 190)
            axes.scatter(*place[each], s=size, color=style.PALETTE["vermillion"], edgecolor="white", zorder=3)
            axes.annotate(str(number), place[each], ha="center", va="center", color="white", weight="bold", zorder=4)
        axes.set_xticks(range(generations), ["began it", *map(str, range(1, generations))])
        # the names stand below the axis, where they hide nobody
        axes.set_xlabel("generation\n\n" + escape.label("\n".join(words)), linespacing=1.4)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.margins(0.06, 0.08)
        top = hubs.index[0]
        title = (
            f"A tree of {members:,} customers in {generations} generations: "
            f"{called[top]} brought {hubs.loc[top, 'direct']} of them directly"
        )
        told = "; ".join(
            f"{called[each]} brought {row['direct']} directly and stands behind {row['downstream']}"
            for each, row in hubs.iterrows()
        )
        return style.conclude(axes, title, f"Lines lead from who brought to who was brought, left to right. {told}.")


def _places(graph: "DiGraph", root: str) -> dict[str, tuple[float, float]]:
    """Generation to the right, everybody above the middle of those they brought."""
    import networkx as nx

    depth = nx.single_source_shortest_path_length(graph, root)
    height: dict[str, float] = {}
    leaves = 0
    for each in nx.dfs_postorder_nodes(graph, root):
        below = [height[child] for child in graph.successors(each)]
        if below:
            height[each] = (min(below) + max(below)) / 2
        else:
            height[each] = float(leaves)
            leaves += 1
    return {each: (float(depth[each]), height[each]) for each in depth}
