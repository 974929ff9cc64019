"""Lets a failing assertion of the suite say what it compared."""

import pytest

pytest.register_assert_rewrite("conformance")
