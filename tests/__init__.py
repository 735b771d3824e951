"""Tests, whose shared checks say what was compared when they fail."""

import pytest

pytest.register_assert_rewrite("tests.support")
