"""The regions of the platform and the addresses that follow from one."""

from __future__ import annotations

from typing import Final

DOMAINS: Final = {
    "us_east_1": "mypurecloud.com",
    "us_east_2": "use2.us-gov-pure.cloud",
    "us_west_2": "usw2.pure.cloud",
    "ca_central_1": "cac1.pure.cloud",
    "mx_central_1": "mxc1.pure.cloud",
    "sa_east_1": "sae1.pure.cloud",
    "eu_west_1": "mypurecloud.ie",
    "eu_west_2": "euw2.pure.cloud",
    "eu_central_1": "mypurecloud.de",
    "eu_central_2": "euc2.pure.cloud",
    "eusc_de_east_1": "edee1.eusc-pure.cloud",
    "me_central_1": "mec1.pure.cloud",
    "ap_south_1": "aps1.pure.cloud",
    "ap_southeast_1": "apse1.pure.cloud",
    "ap_southeast_2": "mypurecloud.com.au",
    "ap_northeast_1": "mypurecloud.jp",
    "ap_northeast_2": "apne2.pure.cloud",
    "ap_northeast_3": "apne3.pure.cloud",
}
"""Region by the name of its cloud region, to its domain."""


def domain_of(region: str) -> str:
    """The domain of a region given by name (`eu_west_1`, `eu-west-1`) or by its domain; KeyError for any other."""
    text = region.strip().lower()
    return text if text in DOMAINS.values() else DOMAINS[text.replace("-", "_")]


def addresses(domain: str) -> dict[str, str]:
    """The three addresses of a region, by the setting that each one is the default of."""
    return {
        "login_url": f"https://login.{domain}",
        "api_url": f"https://api.{domain}",
        "stream_url": f"wss://streaming.{domain}",
    }
