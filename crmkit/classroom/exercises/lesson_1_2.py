"""The exercises of lesson 1.2, the customer record."""

from typing import Any, ClassVar

import pandas as pd

from crmkit.classroom.exercise import Context, Defence, Exercise, defend, wrong
from crmkit.tables import anonymity, archive, erasure, identity, referrals
from crmkit.tables.consent import read as read_consent

YEAR_END = "2025-12-31"
RULES: dict[str, dict[str, Any]] = {
    "birth_date": {"age_bands": [18, 25, 35, 45, 55, 65, 75]},
    "sex": {"keep": True},
    "postcode": {"prefix": 5},
}


def _mall(context: Context) -> Any:
    return context.load("mall")


def _normal(context: Context) -> pd.DataFrame:
    return context.once("1.2 normal", lambda: identity.normalise(_mall(context).records))


def _pairs(context: Context) -> pd.DataFrame:
    return context.once("1.2 pairs", lambda: identity.match(_normal(context)))


def _customer(context: Context) -> pd.Series:
    return context.once("1.2 customer", lambda: identity.clusters(_mall(context).records, _pairs(context)))


def _person(context: Context) -> pd.Series:
    return _mall(context).truth_identity.set_index("record_id")["person_id"]


def _merged(context: Context) -> pd.DataFrame:
    records, customer = _mall(context).records, _customer(context)
    return context.once("1.2 merged", lambda: identity.merge(records, customer).customers)


def _receipts(context: Context) -> pd.DataFrame:
    """The identified receipts, with the customer of each."""
    receipts = _mall(context).receipts.dropna(subset=["record_id"])
    return receipts.assign(customer_id=receipts["record_id"].map(_customer(context)))


class Identified(Exercise):
    id, answer, level, digits = "1.2-1", "identified", "do", 3
    nudge = '`receipts["record_id"].notna()` is true where the customer is known; its mean is the share.'
    meaning = "Three receipts in ten have a face. Of the other seven nobody knows whether they are one person or many."

    def expected(self, context: Context) -> float:
        return float(_mall(context).receipts["record_id"].notna().mean())

    @wrong("That is the share of the ANONYMOUS receipts. Turn it round: `notna` instead of `isna`.")
    def anonymous(self, context: Context) -> float:
        return 1 - self.expected(context)

    @wrong("That is the number of identified receipts. Divide by all receipts.")
    def count_instead_of_share(self, context: Context) -> int:
        return int(_mall(context).receipts["record_id"].notna().sum())

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return 100 * self.expected(context)

    @wrong("You divided the number of DIFFERENT records by the receipts. Count every receipt that carries a record.")
    def different_records(self, context: Context) -> float:
        receipts = _mall(context).receipts
        return receipts["record_id"].nunique() / len(receipts)

    @wrong("You weighed by money. That is the next exercise; here every receipt counts once.")
    def by_money(self, context: Context) -> float:
        receipts = _mall(context).receipts
        return float(receipts.loc[receipts["record_id"].notna(), "amount"].sum() / receipts["amount"].sum())

    @wrong("That is anonymous receipts for each identified one, or the other way round. Divide by ALL receipts.")
    def odds(self, context: Context) -> float:
        return self.expected(context) / (1 - self.expected(context))

    @wrong("That is right, but rounded too far. Give at least three digits.")
    def rounded_too_far(self, context: Context) -> float:
        return round(self.expected(context), 2)


class IdentifiedMoney(Exercise):
    id, answer, level, digits = "1.2-2", "identified_money", "decide", 3
    nudge = "Keep the receipts of 2025. Add up `amount` where `known` is true, and divide by all `amount` of 2025."
    meaning = "By money more is identified than by receipts. Always say which of the two you mean."

    def _share(self, context: Context, year: int | None = 2025, column: str | None = "amount") -> float:
        receipts = _mall(context).receipts
        receipts = receipts if year is None else receipts[receipts["till_at"].dt.year == year]
        weight = receipts[column] if column else pd.Series(1.0, index=receipts.index)
        return float(weight[receipts["record_id"].notna()].sum() / weight.sum())

    def expected(self, context: Context) -> float:
        return self._share(context)

    @wrong("That is the share of receipts. Weigh each with its `amount`.")
    def by_receipts(self, context: Context) -> float:
        return self._share(context, column=None)

    @wrong("That is the money of all three years. Keep 2025 only.")
    def all_years(self, context: Context) -> float:
        return self._share(context, year=None)

    @wrong("That is the share of the anonymous money. Turn it round.")
    def anonymous(self, context: Context) -> float:
        return 1 - self._share(context)

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return 100 * self._share(context)

    @wrong("You divided the identified money of 2025 by the money of all years. Both must be of 2025.")
    def over_all_years(self, context: Context) -> float:
        receipts = _mall(context).receipts
        this_year = receipts["till_at"].dt.year == 2025
        return float(receipts.loc[this_year & receipts["record_id"].notna(), "amount"].sum() / receipts["amount"].sum())

    @wrong("You compared the MEAN amounts. Add up the money.")
    def means(self, context: Context) -> float:
        receipts = _mall(context).receipts[lambda table: table["till_at"].dt.year == 2025]
        known, unknown = (receipts.loc[receipts["record_id"].notna() == its, "amount"].mean() for its in (True, False))
        return float(known / (known + unknown))

    @wrong("That is right, but rounded too far. Give at least three digits.")
    def rounded_too_far(self, context: Context) -> float:
        return round(self.expected(context), 2)

    @wrong("You divided by the identified money of all years. Divide by ALL the money of 2025, the anonymous too.")
    def of_the_identified(self, context: Context) -> float:
        receipts = _mall(context).receipts.dropna(subset=["record_id"])
        return float(receipts.loc[receipts["till_at"].dt.year == 2025, "amount"].sum() / receipts["amount"].sum())


class MixedCustomers(Exercise):
    id, answer, level = "1.2-3", "mixed_customers", "decide"
    nudge = "`person.groupby(by_phone).nunique()` counts the different persons of each of the IT's customers. How many are above 1?"
    meaning = "So many customers would be two, three or four people in one: couples, parents and children."

    def _groups(self, context: Context, phone: pd.Series | None = None) -> Any:
        normal, person = _normal(context), _person(context)
        phone = normal["phone"] if phone is None else phone
        return person.groupby(phone.fillna(pd.Series(normal.index, index=normal.index)))

    def expected(self, context: Context) -> int:
        return int((self._groups(context).nunique() > 1).sum())

    @wrong(
        "You counted the numbers that several RECORDS share. Most of them are one person twice: count different persons."
    )
    def shared_by_records(self, context: Context) -> int:
        return int((self._groups(context).size() > 1).sum())

    @wrong("You counted the records inside such customers. Count the customers.")
    def records_inside(self, context: Context) -> int:
        groups = self._groups(context)
        return int(groups.size()[groups.nunique() > 1].sum())

    @wrong("You counted the persons inside such customers. Count the customers.")
    def persons_inside(self, context: Context) -> int:
        persons = self._groups(context).nunique()
        return int(persons[persons > 1].sum())

    @wrong("You counted wrong PAIRS of records. Count the customers that hold more than one person.")
    def wrong_pairs(self, context: Context) -> int:
        return int(identity.evaluate(self._by_phone(context), _person(context))["wrong_pairs"])

    @wrong("That is how many customers the IT would make in all. How many of them hold more than one person?")
    def all_its_customers(self, context: Context) -> int:
        return int(self._by_phone(context).nunique())

    @wrong("You grouped the other way: the persons who have several telephone numbers. Group `person` by `by_phone`.")
    def other_way(self, context: Context) -> int:
        return int((self._by_phone(context).groupby(_person(context)).nunique() > 1).sum())

    @wrong("You compared the numbers as they were typed. Use `by_phone`, which has the normal form.")
    def as_typed(self, context: Context) -> int:
        typed = _mall(context).records.set_index("record_id")["phone"]
        return int((self._groups(context, typed).nunique() > 1).sum())

    def _by_phone(self, context: Context) -> pd.Series:
        normal = _normal(context)
        return normal["phone"].fillna(pd.Series(normal.index, index=normal.index)).rename("customer_id")


class SavedInvitations(Exercise):
    id, answer, level = "1.2-4", "saved_invitations", "do"
    nudge = "One invitation a record makes 3,027; one a customer makes `customer.nunique()`. Subtract."
    meaning = "At two euros a letter that is the smaller saving; the larger is that nobody is invited three times."

    def expected(self, context: Context) -> int:
        return len(_customer(context)) - _customer(context).nunique()

    @wrong("That is how many customers there are, so how many invitations are sent. How many are saved?")
    def customers(self, context: Context) -> int:
        return int(_customer(context).nunique())

    @wrong(
        'You counted the pairs with the verdict "same". Three records of one person are three pairs, and save two invitations.'
    )
    def pairs_counted(self, context: Context) -> int:
        return int((_pairs(context)["verdict"] == "same").sum())

    @wrong("You counted all records that belong to somebody with several. One of each still gets an invitation.")
    def records_of_several(self, context: Context) -> int:
        return int(_customer(context).duplicated(keep=False).sum())

    @wrong("You counted the customers who have several records. Somebody with four records saves three invitations.")
    def customers_with_several(self, context: Context) -> int:
        return int((_customer(context).value_counts() > 1).sum())

    @wrong("You used the true persons. The mall does not know them: use `customer`.")
    def by_the_truth(self, context: Context) -> int:
        return len(_customer(context)) - _person(context).nunique()

    @wrong("You used the merge by telephone. The better merge, by points, is `customer`.")
    def by_the_telephone(self, context: Context) -> int:
        normal = _normal(context)
        return len(normal) - normal["phone"].fillna(pd.Series(normal.index, index=normal.index)).nunique()


class CheapestThreshold(Exercise):
    id, answer, level = "1.2-5", "cheapest_threshold", "decide"
    nudge = '`cost = 30 * curve["wrong_pairs"] + 2 * curve["missed_pairs"]`; then the `threshold` of the row where `cost` is smallest.'
    meaning = "A wrong merge is expensive here, so the mall waits for more evidence than the default asks for, and misses more duplicates."

    def _curve(self, context: Context) -> pd.DataFrame:
        return context.once("1.2 curve", lambda: identity.curve(_pairs(context), _person(context)))

    def _cheapest(self, context: Context, wrong_pair: float, missed_pair: float) -> float:
        curve = self._curve(context)
        cost = wrong_pair * curve["wrong_pairs"] + missed_pair * curve["missed_pairs"]
        return float(curve.loc[cost.idxmin(), "threshold"])

    def expected(self, context: Context) -> float:
        return self._cheapest(context, 30, 2)

    @wrong("You exchanged the two prices: a WRONG pair costs 30 euros, a missed one 2.")
    def prices_exchanged(self, context: Context) -> float:
        return self._cheapest(context, 2, 30)

    @wrong("You counted both mistakes alike. One costs fifteen times the other.")
    def mistakes_alike(self, context: Context) -> float:
        return self._cheapest(context, 1, 1)

    @wrong("You looked at the wrong pairs only. Missed pairs cost something too, if little.")
    def only_wrong_pairs(self, context: Context) -> float:
        return self._cheapest(context, 1, 0)

    @wrong("You looked at the missed pairs only. Wrong pairs are the expensive ones.")
    def only_missed_pairs(self, context: Context) -> float:
        return self._cheapest(context, 0, 1)

    @wrong(
        "You took the row whose number of customers is nearest to the truth. Wrong and missed pairs cancel there: count their costs."
    )
    def nearest_number_of_customers(self, context: Context) -> float:
        curve = self._curve(context)
        return float(curve.loc[(curve["customers"] - curve["persons"]).abs().idxmin(), "threshold"])

    @wrong("That is the lowest cost. The threshold at which it occurs is asked for.")
    def the_cost(self, context: Context) -> float:
        curve = self._curve(context)
        return float((30 * curve["wrong_pairs"] + 2 * curve["missed_pairs"]).min())

    @wrong(
        "That is the default threshold, or the place of the row in the table. Look up the `threshold` of the cheapest row: "
        '`curve.loc[cost.idxmin(), "threshold"]`.'
    )
    def row_number(self, context: Context) -> int:
        curve = self._curve(context)
        return int((30 * curve["wrong_pairs"] + 2 * curve["missed_pairs"]).idxmin())


class ConsentRule(Exercise):
    id, answer, level, points = "1.2-6", "my_consent_rule", "defend", 2
    choices = ("any no is no", "most recent", "any yes is yes")
    nudge = 'Count the customers for whom both is true: `newest == "yes"` and `said_no`.'
    meaning = (
        "So many people said no somewhere and would be written to. The date of a record is not the date of a consent: "
        "whoever chose the most recent answer must say how each answer gets a date of its own."
    )
    rubric = (
        "Full marks: says that `updated_at` dates the record and not the answer; weighs a lost letter against a right that "
        "is broken; asks for consent with date, channel and purpose of its own. For 'most recent': says under which "
        "condition it would be right (the answer carries its own date), and that it is not met here. Half marks: only "
        "'to be on the safe side'. No marks for counting letters only."
    )

    def expected(self, context: Context) -> dict[str, int]:
        figure = self._figure(context)
        return {"any no is no": figure, "most recent": figure}

    def _answers(self, context: Context) -> tuple[pd.Series, pd.Series, pd.Series]:
        customer = _customer(context)
        answers = read_consent(_mall(context).records.set_index("record_id")["consent"])
        said = [(answers == word).groupby(customer).any() for word in ("no", "yes")]
        return read_consent(_merged(context)["consent"]), said[0], said[1]

    def _figure(self, context: Context) -> int:
        newest, said_no, _ = self._answers(context)
        return int(((newest == "yes") & said_no).sum())

    @wrong(
        "The figure is right, and it speaks against you: consent can be taken back, and under this rule it never could."
    )
    def chose_any_yes(self, context: Context) -> Defence:
        return defend(choice="any yes is yes", figure=self._figure(context), because="")

    @wrong(
        'You counted everybody who once said yes and once no. Under "most recent" only those are written to whose newest answer is yes.'
    )
    def all_contradictions(self, context: Context) -> Defence:
        _, said_no, said_yes = self._answers(context)
        return defend(choice="any no is no", figure=int((said_no & said_yes).sum()), because="")

    @wrong("That is everybody whose newest answer is yes. Asked for are those among them who said no elsewhere.")
    def all_yes(self, context: Context) -> Defence:
        return defend(choice="any no is no", figure=int((self._answers(context)[0] == "yes").sum()), because="")

    @wrong("You counted those whose newest answer is NO and who said yes elsewhere. They get no letter.")
    def other_way(self, context: Context) -> Defence:
        newest, _, said_yes = self._answers(context)
        return defend(choice="any no is no", figure=int(((newest == "no") & said_yes).sum()), because="")

    @wrong("That is a share. Count the customers.")
    def share(self, context: Context) -> Defence:
        newest = self._answers(context)[0]
        return defend(choice="any no is no", figure=self._figure(context) / int((newest == "yes").sum()), because="")


class RefusedRows(Exercise):
    id, answer, level = "1.2-7", "refused_rows", "decide"
    nudge = "Make one true/false column for each rule (`isin`, `==`, `duplicated`) and count the rows in which at least one is true."
    meaning = "So few, and each of them a reward that was paid. The store would have asked at the moment when somebody could still answer."

    def _broken(self, context: Context, keep: Any = "first") -> list[pd.Series]:
        links, records = _mall(context).referrals, _mall(context).records
        unknown = ~links["referred_by"].isin(records["record_id"])
        return [unknown, links["record_id"] == links["referred_by"], links["record_id"].duplicated(keep=keep)]

    def expected(self, context: Context) -> int:
        unknown, itself, again = self._broken(context)
        return int((unknown | itself | again).sum())

    @wrong("You counted both rows of a record that was brought twice. The first of them is written.")
    def both_of_two(self, context: Context) -> int:
        unknown, itself, again = self._broken(context, keep=False)
        return int((unknown | itself | again).sum())

    @wrong("You forgot the primary key: a record that was brought twice is refused the second time.")
    def without_the_key(self, context: Context) -> int:
        unknown, itself, _ = self._broken(context)
        return int((unknown | itself).sum())

    @wrong("You counted only the referrers that are in no table. There are three rules.")
    def only_unknown(self, context: Context) -> int:
        return int(self._broken(context)[0].sum())

    @wrong("That is how many rows are written. How many are refused?")
    def rows_written(self, context: Context) -> int:
        return len(_mall(context).referrals) - self.expected(context)

    @wrong(
        "You asked that `referred_by` be unique as well. One person may bring many: only `record_id` is the primary key."
    )
    def referrers_unique(self, context: Context) -> int:
        unknown, itself, again = self._broken(context)
        return int((unknown | itself | again | _mall(context).referrals["referred_by"].duplicated()).sum())


class DaysOpen(Exercise):
    id, answer, level = "1.2-8", "days_open", "decide"
    nudge = (
        '`customer["M02527"]` names his customer; `brief_of(…).open_issues` lists his open complaints with `days_open`.'
    )
    meaning = (
        "By his second card he has no history at all. By the person, he has waited for more than a year and a half."
    )
    CARD: ClassVar = "M02527"  # given in the text of the task

    def _complaints(self, context: Context) -> pd.DataFrame:
        contacts, customer = _mall(context).contacts, _customer(context)
        mine = contacts[contacts["record_id"].map(customer) == customer[self.CARD]]
        return mine[mine["kind"] == "complaint"].sort_values("at")

    def expected(self, context: Context) -> int:
        contacts = _mall(context).contacts
        talks = contacts.assign(customer_id=contacts["record_id"].map(_customer(context)))
        bought = _receipts(context).rename(columns={"till_at": "at", "store_kind": "group"})
        told = archive.brief(_customer(context)[self.CARD], talks, bought, as_of=YEAR_END)
        return int(told.open_issues["days_open"].max())

    def _since(self, moment: pd.Timestamp) -> int:
        return (pd.Timestamp(YEAR_END) - moment.normalize()).days

    @wrong("That complaint is the newest, and it was solved. Look for the one that is still open.")
    def newest_complaint(self, context: Context) -> int:
        return self._since(self._complaints(context)["at"].iloc[-1])

    @wrong("That is how many days ago somebody last spoke with him. Nobody spoke of the complaint.")
    def last_contact(self, context: Context) -> int:
        contacts, customer = _mall(context).contacts, _customer(context)
        return self._since(contacts.loc[contacts["record_id"].map(customer) == customer[self.CARD], "at"].max())

    @wrong("That is the number of open complaints. How long has the oldest been open?")
    def number_of_complaints(self, context: Context) -> int:
        return int((self._complaints(context)["outcome"] == "open").sum())

    @wrong("One day too many: count the nights between the two days.")
    def both_ends_counted(self, context: Context) -> int:
        return self.expected(context) + 1

    @wrong("You subtracted clock times. Count calendar days.")
    def clock_times(self, context: Context) -> int:
        complaints = self._complaints(context)
        return (pd.Timestamp(YEAR_END) - complaints.loc[complaints["outcome"] == "open", "at"].min()).days

    @wrong("That is the oldest open complaint of the whole mall. Only Mr Scholz is asked for.")
    def of_the_whole_mall(self, context: Context) -> int:
        contacts = _mall(context).contacts
        return self._since(
            contacts.loc[(contacts["kind"] == "complaint") & (contacts["outcome"] == "open"), "at"].min()
        )

    @wrong(
        "That is since he registered this card. The complaint is older than the card: look at the customer, not at the record."
    )
    def since_this_card(self, context: Context) -> int:
        records = _mall(context).records.set_index("record_id")
        return self._since(records.loc[self.CARD, "registered_on"])


class MoneyMissing(Exercise):
    id, answer, level, digits = "1.2-9", "money_missing", "decide", 3
    nudge = "Call `anonymity.generalise` with `k=10`, then add up `spend` where `released` is false and divide by all `spend`."
    meaning = (
        "More than a third of the money disappears from the agency's picture, so that no group is smaller than ten."
    )

    def _shared(self, context: Context) -> pd.DataFrame:
        def make() -> pd.DataFrame:
            customers = _merged(context)
            spend = _receipts(context).groupby("customer_id")["amount"].sum()
            sex = customers["sex"].str.lower().str[0].replace({"w": "f", "h": "m"})
            shared = customers[["birth_date", "postcode"]].assign(sex=sex)
            born = identity.normalise(customers.reset_index(), record_id="customer_id")["birth_date"]
            return shared.assign(birth_date=born.to_numpy(), spend=spend.reindex(customers.index).fillna(0))

        return context.once("1.2 shared", make)

    def _missing(self, context: Context, k: int = 10, rules: dict[str, Any] = RULES, money: bool = True) -> float:
        shared = self._shared(context)
        made = context.once(
            ("1.2 release", k, str(rules)),
            lambda: anonymity.generalise(shared, rules, k=k, keep="spend", as_of=YEAR_END),
        )
        weight = shared["spend"] if money else pd.Series(1.0, index=shared.index)
        return float(weight[~made.released].sum() / weight.sum())

    def expected(self, context: Context) -> float:
        return self._missing(context)

    @wrong("That is the share of CUSTOMERS who are missing. The money is asked for: weigh with `spend`.")
    def customers_instead_of_money(self, context: Context) -> float:
        return self._missing(context, money=False)

    @wrong("That is the release with k = 5. The agency demands 10.")
    def still_five(self, context: Context) -> float:
        return self._missing(context, k=5)

    @wrong("That is the money that is IN the release. What is missing?")
    def money_released(self, context: Context) -> float:
        return 1 - self._missing(context)

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> float:
        return 100 * self._missing(context)

    @wrong("That is the amount in euros. Divide by all `spend` of `shared`.")
    def euros(self, context: Context) -> float:
        return self._missing(context) * float(self._shared(context)["spend"].sum())

    @wrong("You divided what is missing by what is released. Divide by all money.")
    def odds(self, context: Context) -> float:
        return self._missing(context) / (1 - self._missing(context))

    @wrong("That is the money of the table as it was, before anything was made coarser. Generalise first.")
    def not_generalised(self, context: Context) -> float:
        return self._missing(context, rules={column: {"keep": True} for column in RULES})

    @wrong("That is right, but rounded too far. Give at least three digits.")
    def rounded_too_far(self, context: Context) -> float:
        return round(self.expected(context), 2)


class OwnRewards(Exercise):
    id, answer, level = "1.2-10", "own_rewards", "do"
    nudge = 'Count the rows of `network.problems` whose `problem` begins with "self-referral".'
    meaning = (
        "Without merging only one of them shows. The trick needs two records, and two records nobody had put together."
    )

    def _problems(self, context: Context) -> pd.Series:
        def make() -> pd.Series:
            mall = _mall(context)
            since = mall.records.set_index("record_id")["registered_on"]
            found = referrals.network(mall.referrals, customer="record_id", clusters=_customer(context), since=since)
            return found.problems["problem"]

        return context.once("1.2 problems", make)

    def expected(self, context: Context) -> int:
        return int(self._problems(context).str.startswith("self-referral").sum())

    @wrong("Those are the ones with two records. One record brought itself as well.")
    def two_records_only(self, context: Context) -> int:
        return int((self._problems(context) == "self-referral, two records").sum())

    @wrong("That is the one record that brought itself. Add those who used a second record.")
    def one_record_only(self, context: Context) -> int:
        return int((self._problems(context) == "self-referral").sum())

    @wrong("You counted all problems. Not every problem is a reward to oneself.")
    def all_problems(self, context: Context) -> int:
        return len(self._problems(context))

    @wrong("You added those who had a card already. They were brought by somebody else, not by themselves.")
    def with_already_customers(self, context: Context) -> int:
        return self.expected(context) + int((self._problems(context) == "already a customer").sum())

    @wrong(
        "Those rewards were paid for people who had a card already, to somebody else. Asked are those who brought THEMSELVES."
    )
    def already_customers(self, context: Context) -> int:
        return int((self._problems(context) == "already a customer").sum())


ERASE_RULES: dict[str, dict[str, str]] = {
    "records": {"record_id": "delete", "name": "identifies", "phone": "identifies", "email": "identifies"},
    "receipts": {"record_id": "blank"},
    "contacts": {"record_id": "delete"},
    "referrals": {"record_id": "delete", "referred_by": "blank"},
}


class RowsLeftBehind(Exercise):
    id, answer, level = "1.2-11", "rows_left_behind", "decide"
    nudge = "Compare `deleted` of the table `records` in `erased.proof` with that of a second call without `clusters`."
    meaning = "Her wish would have been carried out for one card, and she would have got the next letter on another."
    CARD: ClassVar = "M01150"  # given in the text of the task

    def _proof(self, context: Context, clusters: bool) -> pd.DataFrame:
        def make() -> pd.DataFrame:
            mall = _mall(context)
            tables = {name: getattr(mall, name) for name in ERASE_RULES}
            return erasure.erase(
                tables, self.CARD, ERASE_RULES, clusters=_customer(context) if clusters else None
            ).proof.set_index("table")

        return context.once(("1.2 erased", clusters), make)

    def _difference(self, context: Context, column: str, table: str | None = "records") -> int:
        both = [self._proof(context, clusters)[column] for clusters in (True, False)]
        left = both[0] - both[1]
        return int(left.sum() if table is None else left[table])

    def expected(self, context: Context) -> int:
        return self._difference(context, "deleted")

    @wrong("That is how many rows of `records` go when it is done right. How many more is that than by card number?")
    def all_her_records(self, context: Context) -> int:
        return int(self._proof(context, True).loc["records", "deleted"])

    @wrong("That is how many rows the colleague deletes. How many does he leave?")
    def deleted_by_card(self, context: Context) -> int:
        return int(self._proof(context, False).loc["records", "deleted"])

    @wrong("You compared the receipts as well. Asked are the rows of `records`.")
    def receipts_too(self, context: Context) -> int:
        return self._difference(context, "deleted") + self._difference(context, "blanked", None)

    @wrong(
        "Zero is what the colleague's proof says: it searches only for what he gave it. Compare `deleted` of both proofs."
    )
    def his_own_proof(self, context: Context) -> int:
        return int(self._proof(context, False)["found_after"].sum())

    @wrong("That is `rows_after`, the records of all others.")
    def rows_after(self, context: Context) -> int:
        return int(self._proof(context, True).loc["records", "rows_after"])


class PeopleBehind(Exercise):
    id, answer, level = "1.2-12", "people_behind", "decide"
    nudge = "People divided by receipts, both added up over the weeks of `weekly`, times 300,000; then round to thousands with `round(…, -3)`."
    meaning = "A third fewer than the receipts, if that mall were like ours. Ask first what was counted."

    def _year(self, context: Context) -> pd.DataFrame:
        receipts = _mall(context).receipts.merge(_mall(context).truth_receipts, on="receipt_id")
        return receipts[receipts["till_at"].dt.year == 2025]

    def _weekly(self, context: Context) -> pd.DataFrame:
        year = self._year(context)
        return year.groupby(year["till_at"].dt.to_period("W"))["person_id"].agg(["size", "nunique"])

    def expected(self, context: Context) -> float:
        weekly = self._weekly(context)
        return float(round(300_000 * weekly["nunique"].sum() / weekly["size"].sum(), -3))

    @wrong("You divided by the different people of the whole YEAR. The same people come in many weeks: use `weekly`.")
    def people_of_the_year(self, context: Context) -> float:
        year = self._year(context)
        return float(round(300_000 * year["person_id"].nunique() / len(year), -3))

    @wrong("Turned round: that is more people than receipts. People divided by receipts.")
    def turned_round(self, context: Context) -> float:
        weekly = self._weekly(context)
        return float(round(300_000 * weekly["size"].sum() / weekly["nunique"].sum(), -3))

    @wrong("You took only the people with a card. The person behind an anonymous receipt counts too.")
    def identified_only(self, context: Context) -> float:
        year = self._year(context)
        known = year[year["record_id"].notna()]
        people = known.groupby(known["till_at"].dt.to_period("W"))["person_id"].nunique().sum()
        return float(round(300_000 * people / len(year), -3))

    @wrong("Round to the nearest thousand.")
    def not_rounded(self, context: Context) -> float:
        weekly = self._weekly(context)
        return float(round(300_000 * weekly["nunique"].sum() / weekly["size"].sum()))

    @wrong("That is the ratio. Multiply by 300,000.")
    def the_ratio(self, context: Context) -> float:
        weekly = self._weekly(context)
        return float(weekly["nunique"].sum() / weekly["size"].sum())


class MergeRule(Exercise):
    id, answer, level, points, digits = "1.2-13", "my_merge_rule", "defend", 2, 3
    choices = ("merge at once", "merge and list for review", "never merge")
    nudge = "`same` is true where both records are one person; its mean is the share."
    meaning = "Nearly all of them are one person. What to do with the rest depends on what a wrong merge costs."
    rubric = (
        "Full marks: names both mistakes and who bears each (a duplicate annoys, a wrong merge shows a person's data to "
        "another); uses the number of pairs, not only the share (two of some 150); says how the exceptions could be found "
        "(different e-mail, the chain, one question at the desk) and that a merge must be undoable. Half marks: the share "
        "alone. No marks for 'never, to be safe': it keeps 150 duplicates."
    )

    def expected(self, context: Context) -> dict[str, float]:
        share = self._share(context)
        return {"merge at once": share, "merge and list for review": share}

    def _share(self, context: Context, *, missing: bool = True, name: bool = True, phone: bool = True) -> float:
        pairs, person = _pairs(context), _person(context)
        if name:
            pairs = pairs[pairs["name"] == 1]
        if phone:
            pairs = pairs[pairs["phone"] == 1]
        if missing:
            pairs = pairs[pairs["birth_date"].isna()]
        return float((person[pairs["left"]].to_numpy() == person[pairs["right"]].to_numpy()).mean())

    @wrong("The figure is right, and it speaks against you: never merging keeps all these duplicates.")
    def chose_never(self, context: Context) -> Defence:
        return defend(choice="never merge", figure=self._share(context), because="")

    @wrong("That is the share of pairs that are NOT one person. Turn it round.")
    def turned_round(self, context: Context) -> Defence:
        return defend(choice="merge and list for review", figure=1 - self._share(context), because="")

    @wrong("You took all pairs with the same telephone. The name must be the same, too.")
    def telephone_only(self, context: Context) -> Defence:
        return defend(choice="merge and list for review", figure=self._share(context, name=False), because="")

    @wrong("You took all pairs with the same name. The telephone must be the same, too.")
    def name_only(self, context: Context) -> Defence:
        return defend(choice="merge and list for review", figure=self._share(context, phone=False), because="")

    @wrong("That is a percentage. A share lies between 0 and 1.")
    def percentage(self, context: Context) -> Defence:
        return defend(choice="merge and list for review", figure=100 * self._share(context), because="")

    @wrong("The figure is right, but rounded too far. Give at least three digits.")
    def rounded_too_far(self, context: Context) -> Defence:
        return defend(choice="merge and list for review", figure=round(self._share(context), 2), because="")

    @wrong("That is the number of pairs that are one person. Divide by the number of all these pairs.")
    def count_instead_of_share(self, context: Context) -> Defence:
        pairs, person = _pairs(context), _person(context)
        pairs = pairs[(pairs["name"] == 1) & (pairs["phone"] == 1) & pairs["birth_date"].isna()]
        one = person[pairs["left"]].to_numpy() == person[pairs["right"]].to_numpy()
        return defend(choice="merge and list for review", figure=int(one.sum()), because="")
