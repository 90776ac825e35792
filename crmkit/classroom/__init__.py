"""The classroom: checks with hints, a quiz, progress, the glossary, and the editions that are made from a lesson.

A notebook needs one line: ``from crmkit.classroom import check, defend, glossary, progress, quiz``.
"""

from crmkit.classroom.checking import check
from crmkit.classroom.course_map import progress
from crmkit.classroom.exercise import Exercise, defend, wrong
from crmkit.classroom.glossary import glossary
from crmkit.classroom.handin import submit
from crmkit.classroom.quiz import quiz

__all__ = ["Exercise", "check", "defend", "glossary", "progress", "quiz", "submit", "wrong"]
