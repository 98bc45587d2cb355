"""How much hypothesis tries: repeatable where nothing may be skipped, exploring on a developer's machine."""

import os

import hypothesis

hypothesis.settings.register_profile("developer", deadline=None, max_examples=100)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=150, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CITY_NOTHING_SKIPPED") == "1" else "developer")
