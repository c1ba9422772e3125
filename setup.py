"""Adds to pyproject.toml the one thing that it cannot say: all packages, and `assets/` as the package `journeymap._assets`."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["journeymap", "journeymap.*"]), "journeymap._assets"],
    package_dir={"journeymap._assets": "assets"},
    package_data={"journeymap": ["py.typed"], "journeymap._assets": ["*", "*/*", "*/*/*"]},
)
