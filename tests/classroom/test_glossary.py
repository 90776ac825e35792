"""The glossary answers in both languages, to whole terms, parts and slips."""

import pytest

from crmkit.classroom import glossary


@pytest.mark.parametrize("asked", ["CRM", "crm", " Customer  Relationship Management ", "客户关系管理"])
def test_a_term_is_found_by_each_of_its_names(asked):
    (row,) = glossary(asked).rows
    assert row[:2] == ("customer relationship management (CRM)", "客户关系管理")
    assert row[3] == "1.1"


def test_a_part_finds_all_that_contain_it():
    assert {"客户满意度", "客户忠诚度"} <= {row[1] for row in glossary("客户满").rows + glossary("customer loyal").rows}
    many = glossary("customer")
    assert len(many.rows) == 8
    assert "ask for a longer word" in repr(many)


def test_a_slip_gets_what_it_may_have_meant():
    card = glossary("custmer loyality")
    assert card.rows == ()
    assert "Did you mean 'customer loyalty'" in repr(card)


@pytest.mark.parametrize("asked", ["", "   ", None, 3, "<script>", "xyzzy"])
def test_what_is_not_there_is_said(asked):
    card = glossary(asked)
    assert "The glossary has no" in repr(card)
    assert "<script>" not in card._repr_html_()
