"""Where customers stand in their life with the firm: one row a customer, and what can be read from it."""

from crmkit.lifecycle.customer_summary import summary

__all__ = ["summary"]
