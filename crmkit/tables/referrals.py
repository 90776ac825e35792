"""Who brought whom: the referral graph, its trees and key persons, and what in it cannot be true."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.errors import InputError, KindError
from crmkit.tables.frames import counted, id_text, needs

if TYPE_CHECKING:
    from networkx import DiGraph

PROBLEMS = {
    "self-referral": "a customer brought himself",
    "self-referral, two records": "two records of the same person: one brought the other",
    "unknown referrer": "nobody in the customer table has this id",
    "already a customer": "the person had an earlier record, so nobody brought them",
    "two referrers": "more than one person claims this customer; the earliest is kept",
    "circle": "each was brought by the next: at least one link is false",
}


@dataclass(frozen=True, repr=False)
class Network:
    """Customers linked by referrals.

    graph : networkx DiGraph, an edge from the one who brought to the one who was brought. Self-referrals are not in
        it; circles are.
    trees : one row a group of linked customers, the largest first: `root` (who began it), `members`, `generations`
        (1 is the root alone), `direct` (brought by the root itself), `circle` (no beginning; its smallest id is the root).
    people : one row a customer, by `customer_id`: `referrer`, `root`, `generation` (0 for a root; missing after a
        circle), `direct` (brought by this person), `downstream` (brought by this person, by those, and so on), and,
        if money was given, `downstream_money`; key persons first.
    problems : one row a problem: `problem`, `customers`, `links` (rows it concerns), `what`.
    links : usable referrals.
    """

    graph: "DiGraph"
    trees: pd.DataFrame
    people: pd.DataFrame
    problems: pd.DataFrame
    links: int

    def __str__(self) -> str:
        told = f"{counted(len(self.problems), 'problem')}."
        if self.trees.empty:
            return f"No usable referral. {told}"
        top, key = self.trees.iloc[0], self.people.iloc[0]
        depth = " and no beginning" if top["circle"] else f" in {top['generations']} generations"
        return (
            f"{counted(self.links, 'referral')} link {len(self.people):,} customers in {counted(len(self.trees), 'tree')}; the largest "
            f"has {top['members']:,} members{depth}. {key.name} stands behind {key['downstream']:,} others, "
            f"{key['direct']:,} of them brought directly. {told}"
        )

    __repr__ = __str__


def network(
    links: pd.DataFrame,
    *,
    customer: str = "customer_id",
    referrer: str = "referred_by",
    on: str | None = "on",
    clusters: "pd.Series[Any] | None" = None,
    since: "pd.Series[Any] | None" = None,
    money: "pd.Series[Any] | None" = None,
) -> Network:
    """Who brings us customers, and how far does it reach? And which rewards were taken by a trick?

    Parameters
        links: one row a referral; rows without a referrer are none.
        customer, referrer: the columns with the one who came, and the one who brought.
        on: the column with the day; of two referrers the earliest counts. None: the first row counts.
        clusters: the customer of each record, by record id (`identity.clusters`). With it the graph is one of persons,
            self-referrals over two records show, and a referrer who is in no table is told.
        since: the day on which each record was made, by record id (needs `clusters`). Somebody who had an earlier record
            was a customer already: such a link is told and left out.
        money: spend (or any value) by customer, to weigh what a person brought.
    Returns: `Network`: `.graph`, `.trees`, `.people`, `.problems`, `.links`; `str` says it in words.
    Raises: ColumnError for a missing column; InputError if there is no referral at all.

    >>> links = pd.DataFrame({"customer_id": ["B", "C", "D", "E"], "referred_by": ["A", "A", "C", "E"]})
    >>> found = network(links, on=None)
    >>> found
    3 referrals link 4 customers in 1 tree; the largest has 4 members in 3 generations.
    A stands behind 3 others, 2 of them brought directly. 1 problem.
    >>> found.problems["problem"].item(), found.problems["customers"].item()
    ('self-referral', 'E')
    """
    import networkx as nx

    needs(links, [customer, referrer, *([on] if on else [])], "links")
    for name, given in (("clusters", clusters), ("since", since), ("money", money)):
        if given is not None and not isinstance(given, pd.Series):
            raise KindError(f"{name} must be a Series by record or customer id, not {type(given).__name__}.")
    if since is not None and clusters is None:
        raise InputError("since tells which record of a person was the first, and needs clusters: who is a person?")
    given = links[links[referrer].notna() & links[customer].notna()]
    if given.empty:
        raise InputError(f"no row has both {customer!r} and {referrer!r}: there are no referrals.")
    if on:
        given = given.sort_values(on, kind="stable")
    pairs = pd.DataFrame({"record": given[customer].map(id_text), "by_record": given[referrer].map(id_text)})
    members = None if clusters is None else {id_text(record): id_text(each) for record, each in clusters.items()}
    for column, person in (("record", "who"), ("by_record", "by")):
        pairs[person] = pairs[column] if members is None else pairs[column].map(members)

    problems = []
    unknown = pairs[pairs["by"].isna() | pairs["who"].isna()]
    for row in unknown.itertuples():
        stranger = row.record if pd.isna(row.who) else row.by_record
        problems.append(("unknown referrer", stranger, 1))
    pairs = pairs.drop(unknown.index)
    itself = pairs["who"] == pairs["by"]
    for row in pairs[itself].itertuples():
        same = row.record == row.by_record
        told = row.record if same else f"{row.by_record}, {row.record}"
        problems.append(("self-referral" if same else "self-referral, two records", told, 1))
    pairs = pairs[~itself]
    if since is not None:
        made = since.set_axis(since.index.map(id_text))
        first = made.groupby(made.index.map(members)).min()
        late = pairs["record"].map(made) > pairs["who"].map(first)
        problems += [("already a customer", f"{row.who} by {row.by}", 1) for row in pairs[late].itertuples()]
        pairs = pairs[~late]
    pairs = pairs.drop_duplicates(["who", "by"])
    for who, rows in pairs[pairs["who"].duplicated(keep=False)].groupby("who"):
        problems.append(("two referrers", f"{who} by {' and '.join(rows['by'])}", len(rows)))
    pairs = pairs.drop_duplicates("who")

    graph = nx.DiGraph()
    graph.add_edges_from(sorted(zip(pairs["by"], pairs["who"], strict=True)))
    circles = [sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1]
    problems += [("circle", ", ".join(circle), len(circle)) for circle in sorted(circles)]
    trees, people = _grown(graph, circles, money)
    found = pd.DataFrame(problems, columns=["problem", "customers", "links"])
    found["what"] = found["problem"].map(PROBLEMS)
    return Network(graph, trees, people, found.sort_values(["problem", "customers"], ignore_index=True), len(pairs))


def _grown(
    graph: "DiGraph", circles: list[list[str]], money: "pd.Series[Any] | None"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trees and people of a graph in which everybody has one referrer at most, so each group has one root or one circle."""
    import networkx as nx

    spend = {} if money is None else {id_text(who): float(value) for who, value in money.items()}
    in_circle = {each: circle for circle in circles for each in circle}
    trees, rows = [], []
    for group in nx.weakly_connected_components(graph):
        circle = next((in_circle[each] for each in group if each in in_circle), None)
        root = circle[0] if circle else next(each for each in group if graph.in_degree(each) == 0)
        generation = {} if circle else nx.single_source_shortest_path_length(graph, root)
        below, worth = dict.fromkeys(group, 0), dict.fromkeys(group, 0.0)
        if circle:
            for each in group:
                behind = nx.descendants(graph, each)
                below[each], worth[each] = len(behind), sum(spend.get(other, 0.0) for other in behind)
        else:
            for each in nx.dfs_postorder_nodes(graph, root):
                for child in graph.successors(each):
                    below[each] += 1 + below[child]
                    worth[each] += spend.get(child, 0.0) + worth[child]
        depth = max(generation.values()) + 1 if generation else pd.NA
        trees.append((root, len(group), depth, graph.out_degree(root), circle is not None))
        for each in group:
            referrer = next(graph.predecessors(each), None)
            place = generation.get(each, pd.NA)
            rows.append((each, referrer, root, place, graph.out_degree(each), below[each], worth[each]))
    columns = ["customer_id", "referrer", "root", "generation", "direct", "downstream", "downstream_money"]
    people = pd.DataFrame(rows, columns=columns).astype({"generation": "Int64", "referrer": "str"})
    people = people.sort_values(["downstream", "direct", "customer_id"], ascending=[False, False, True])
    people = people.set_index("customer_id")
    columns = ["root", "members", "generations", "direct", "circle"]
    grown = pd.DataFrame(trees, columns=columns).astype({"generations": "Int64"})
    grown = grown.sort_values(["members", "root"], ascending=[False, True], ignore_index=True)
    return grown, people if money is not None else people.drop(columns="downstream_money")
