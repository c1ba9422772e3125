from __future__ import annotations

import os
from pathlib import Path

import pytest

from journeymap import settings
from journeymap.bootstrap import identity_rules
from journeymap.errors import ConfigurationError
from journeymap.settings import NAMES, load, show
from journeymap.settings.regions import DOMAINS
from journeymap.stitch.rules import RULES, IdentityRules


@pytest.fixture(autouse=True)
def _empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file and no variables but those of the test."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("JOURNEYMAP_")]:
        monkeypatch.delenv(variable)


def write(text: str) -> None:
    Path("journeymap.toml").write_text(text, encoding="utf-8")


def refusal(overrides: dict[str, object] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_defaults() -> None:
    found = load(shipped_timeouts=False)
    assert (found.source, found.port, found.ingest_port, found.host) == ("simulator", 8050, 8051, "127.0.0.1")
    assert (found.reorder_window_ms, found.flush_interval_ms) == (100, 100)
    assert (found.idle_after, found.close_after) == (300_000, 1_800_000)
    assert (found.engagement_window, found.retention) == (86_400_000, 30 * 86_400_000)
    assert (found.max_journeys, found.max_events_per_second) == (1_000_000, 50)
    assert found.idle_after_by_channel == {}
    assert found.store == "disk:data/simulated/"
    assert found.origins == {}


def test_a_real_source_has_a_store_of_its_own() -> None:
    assert load({"source": "file:events.jsonl"}).store == "disk:data/"
    assert load({"source": "simulator", "store": "disk:elsewhere"}).store_path == Path("elsewhere")


def test_command_line_beats_environment_beats_file_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    write("port = 1\nretention = '1d'\nmax_journeys = 7\n[environments.prod]\nretention = '2d'\nspeed = 3")
    monkeypatch.setenv("JOURNEYMAP_ENVIRONMENT", "prod")
    monkeypatch.setenv("JOURNEYMAP_PORT", "2")
    found = load({"port": "3", "speed": None})
    assert (found.port, found.retention, found.max_journeys, found.speed) == (3, 2 * 86_400_000, 7, 3.0)
    assert found.origins == {
        "port": "command line, --port",
        "environment": "environment variable JOURNEYMAP_ENVIRONMENT",
        "retention": "journeymap.toml [environments.prod]",
        "speed": "journeymap.toml [environments.prod]",
        "max_journeys": "journeymap.toml",
    }


def test_any_setting_by_name_from_the_command_line() -> None:
    found = load({"idle_after__email": "9h", "max_journeys": "5"})
    assert found.idle_after_by_channel["email"] == 9 * 3_600_000
    assert found.origins["max_journeys"] == "command line, --set MAX_JOURNEYS"
    assert refusal({"prot": "1"}) == "PROT is not a setting, did you mean port?"
    assert refusal({"idle_after__email": "x"}).startswith(
        "IDLE_AFTER__EMAIL = x (command line, --set IDLE_AFTER__EMAIL)"
    )


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEYMAP_CLIENT_ID", "")
    monkeypatch.setenv("JOURNEYMAP_IDLE_AFTER__EMAIL", " ")
    assert load().client_id is None
    assert load().idle_after_by_channel["email"] == 4 * 3_600_000


@pytest.mark.parametrize(
    ("given", "milliseconds"),
    [
        ("30m", 1_800_000),
        ("24h", 86_400_000),
        ("90", 90_000),
        (90, 90_000),
        ("1500ms", 1500),
        ("1.5h", 5_400_000),
        ("7d", 604_800_000),
    ],
)
def test_lengths(given: object, milliseconds: int) -> None:
    assert load({"idle_after": given}).idle_after == milliseconds


def test_a_bare_number_of_a_ms_setting_is_milliseconds() -> None:
    assert load({"reorder_window_ms": "250"}).reorder_window_ms == 250
    assert load({"flush_interval_ms": "1s"}).flush_interval_ms == 1000


@pytest.mark.parametrize("given", ["", "m", "-5m", "5 weeks", "1e3", "NaN", "５m", True, "500d", "5m\n6m"])
def test_what_is_no_length(given: object) -> None:
    assert "IDLE_AFTER = " in refusal({"idle_after": given})


@pytest.mark.parametrize(
    ("given", "size"), [("1GiB", 1 << 30), ("64MiB", 64 << 20), ("2g", 2 << 30), ("1.5GiB", 3 << 29)]
)
def test_sizes(given: str, size: int) -> None:
    assert load({"journal_max_bytes": given}).journal_max_bytes == size


def test_time_outs_by_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[close_after]\nemail = '48h'\nchat = '9m'\n")
    monkeypatch.setenv("JOURNEYMAP_IDLE_AFTER__EMAIL", "6h")
    monkeypatch.setenv("JOURNEYMAP_CLOSE_AFTER__CHAT", "10m")
    found = load()
    assert found.idle_after_by_channel["email"] == 6 * 3_600_000
    assert found.idle_after_by_channel["voice"] == 20 * 60_000
    assert found.close_after_by_channel["email"] == 48 * 3_600_000
    assert found.close_after_by_channel["chat"] == 10 * 60_000
    assert found.origins["close_after__chat"] == "environment variable JOURNEYMAP_CLOSE_AFTER__CHAT"
    assert found.origins["close_after__email"] == "journeymap.toml"
    assert load(shipped_timeouts=False).idle_after_by_channel == {"email": 6 * 3_600_000}


def test_a_general_time_out_replaces_the_shipped_ones() -> None:
    write("[idle_after]\ndefault = '10m'\nemail = '1h'\n")
    found = load()
    assert (found.idle_after, found.idle_after_by_channel) == (600_000, {"email": 3_600_000})
    assert found.close_after_by_channel["email"] == 86_400_000


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        (" Contact, EMAIL ,phone", ("contact", "email", "phone")),
        (["phone"], ("phone",)),
        ("none", ()),
        (None, RULES),
    ],
)
def test_rules_of_identity(given: object, rules: tuple[str, ...]) -> None:
    assert identity_rules(load({"identity_rules": given})) == IdentityRules(rules)


@pytest.mark.parametrize("given", ["phone, contact", "phone, phone", "name", ","])
def test_what_are_no_rules_of_identity(given: str) -> None:
    assert "contact, phone, email, messaging and visitor" in refusal({"identity_rules": given})


def test_keys_to_ignore() -> None:
    found = identity_rules(
        load({"identity_ignore": "+1 (555) 555-0100, *@Example.com, tel:+44 20 *, visitor:cookie:V"})
    )
    assert found.ignore == ("*@example.com", "+15555550100", "phone:+4420*", "visitor:cookie:v")
    for key in ("phone:+15555550100", "email:ann@example.com", "phone:+442079460123", "visitor:cookie:V"):
        assert not found.keeps(key)
    for key in ("phone:+15555550101", "email:ann@example.org", "phone:+4520", "messaging:line:+15555550100"):
        assert found.keeps(key)
    assert "* stands for anything" in refusal({"identity_ignore": "*"})


def test_region_gives_the_addresses_and_a_set_one_holds() -> None:
    found = load({"region": "eu-west-1", "api_url": "https://gateway.example/"})
    assert found.region == "mypurecloud.ie"
    assert found.login_url == "https://login.mypurecloud.ie"
    assert found.api_url == "https://gateway.example"
    assert found.stream_url == "wss://streaming.mypurecloud.ie"
    assert found.origins["login_url"] == "REGION"
    assert load({"region": "mypurecloud.de"}).region == DOMAINS["eu_central_1"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("login_url", "http://login.example.org"),
        ("login_url", "https://user:pw@login.example.org"),
        ("login_url", "login.example.org"),
        ("stream_url", "ws://stream.example.org"),
        ("stream_url", "https://stream.example.org"),
        ("api_url", "https://"),
        ("api_url", "https://a:99999"),
        ("host", "0.0.0.0"),
        ("host", "journeys.example.org"),
        ("region", "mars_north_1"),
        ("port", "99999"),
        ("port", "80.5"),
        ("port", True),
        ("source", "kafka"),
        ("source", "file:"),
        ("source", "simulator,simulator"),
        ("store", "redis://localhost"),
        ("store", "disk:"),
        ("auth", "password"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
        ("simulator_rate", "nan"),
        ("simulator_rate", "9000"),
        ("log_level", "loud"),
        ("journal_max_bytes", "3"),
        ("environment", "a b"),
        ("max_journeys", "0"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: object) -> None:
    message = refusal({name: value})
    assert message.startswith(f"{name.upper()} = {value} (command line, --")
    assert "allowed is" in message


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://localhost:80", "http://[::1]:8080", "https://gateway.example"]
)
def test_plain_http_is_for_loopback_only(url: str) -> None:
    assert load({"login_url": url}).login_url == url


def test_where_a_wrong_value_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[environments.dev]\nport = -1\n")
    assert "PORT = -1 (journeymap.toml [environments.dev]): allowed is a whole number" in refusal()
    monkeypatch.setenv("JOURNEYMAP_PORT", "x")
    assert refusal().startswith("PORT = x (environment variable JOURNEYMAP_PORT): allowed is")
    monkeypatch.delenv("JOURNEYMAP_PORT")
    write("")
    monkeypatch.setenv("JOURNEYMAP_IDLE_AFTER__EMAIL", "soon")
    assert refusal().startswith("IDLE_AFTER__EMAIL = soon (environment variable JOURNEYMAP_IDLE_AFTER__EMAIL)")


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("JOURNEYMAP_PROT", "did you mean JOURNEYMAP_PORT?"),
        ("JOURNEYMAP_IDEL_AFTER", "did you mean JOURNEYMAP_IDLE_AFTER?"),
        ("JOURNEYMAP_PORT__EMAIL", "is not a setting"),
        ("JOURNEYMAP_ORIGINS", "is not a setting"),
        ("JOURNEYMAP_XYZZY", "journeymap config"),
    ],
)
def test_an_unknown_variable_is_an_error(variable: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "1")
    assert hint in refusal()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("prot = 1", "journeymap.toml: prot is not a setting, did you mean port?"),
        ("[environments.prod]\nprot = 1", "[environments.prod]: prot is not a setting, did you mean port?"),
        ("environments = 3", "must be tables"),
        ("port = ", "is not TOML"),
        ("environment = 'uat'\n[environments.prod]\nport = 1", "no table [environments.uat], only prod"),
        ("[port]\na = 1", "PORT = "),
    ],
)
def test_a_wrong_file(text: str, hint: str) -> None:
    write(text)
    assert hint in refusal()


def test_a_file_that_is_no_text() -> None:
    Path("journeymap.toml").write_bytes(b"\xff\xfe\x00")
    assert "journeymap.toml cannot be read" in refusal()
    Path("journeymap.toml").unlink()
    Path("journeymap.toml").mkdir()
    assert "journeymap.toml cannot be read" in refusal()


def test_secrets_never_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNEYMAP_CLIENT_SECRET", "hunter2")
    found = load()
    assert found.client_secret is not None
    assert found.client_secret.get_secret_value() == "hunter2"
    for text in (repr(found), str(found), found.model_dump_json(), show("client_secret", found.client_secret)):
        assert "hunter2" not in text
    monkeypatch.setenv("JOURNEYMAP_CLIENT_SECRET", "hunter2\x07")
    assert "hunter2" not in refusal()
    assert "CLIENT_SECRET = ******" in refusal()


def test_the_secret_from_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("secret").write_text("hunter2\n", encoding="utf-8")
    found = load({"client_secret_file": "secret"})
    assert found.client_secret is not None
    assert found.client_secret.get_secret_value() == "hunter2"
    assert found.origins["client_secret"] == "CLIENT_SECRET_FILE"
    assert "cannot be read" in refusal({"client_secret_file": "nowhere"})
    Path("secret").write_text("hunter2\nhunter3\n", encoding="utf-8")
    message = refusal({"client_secret_file": "secret"})
    assert "one line" in message
    assert "hunter" not in message
    monkeypatch.setenv("JOURNEYMAP_CLIENT_SECRET", "x")
    assert "both set" in refusal({"client_secret_file": "secret"})


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1  # type: ignore[misc]


def test_event_streams_needs_credentials_to_ingest() -> None:
    load({"source": "simulator"}).require_credentials()
    found = load({"source": "eventstreams", "client_id": "c", "region": "eu_west_1"})
    with pytest.raises(ConfigurationError, match=r"CLIENT_SECRET is not set \(or CLIENT_SECRET_FILE\)"):
        found.require_credentials()


def test_eventbridge_needs_a_key_or_a_queue() -> None:
    with pytest.raises(
        ConfigurationError, match=r"EVENTBRIDGE_KEY is not set \(nor EVENTBRIDGE_KEY_FILE or .*_QUEUE_URL"
    ):
        load({"source": "simulator,eventbridge"}).require_credentials()
    load({"source": "eventbridge", "eventbridge_key": "k" * 16}).require_credentials()
    load({"source": "eventbridge", "eventbridge_queue_url": QUEUE}).require_credentials()


QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/events"


def test_the_key_of_eventbridge(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("short-of-sixteen", "a key with spaces", "ä" * 16, "x" * 513):
        message = refusal({"eventbridge_key": wrong[:15] if wrong == "short-of-sixteen" else wrong})
        assert "EVENTBRIDGE_KEY = ******" in message
        assert wrong not in message
    found = load({"eventbridge_key": "correct-horse-battery"})
    assert found.eventbridge_key is not None
    assert found.eventbridge_key.get_secret_value() == "correct-horse-battery"
    assert "correct-horse" not in repr(found) + show("eventbridge_key", found.eventbridge_key)
    Path("key").write_text("correct-horse-battery\n", encoding="utf-8")
    assert load({"eventbridge_key_file": "key"}).eventbridge_key == found.eventbridge_key
    Path("key").write_text("short\n", encoding="utf-8")
    message = refusal({"eventbridge_key_file": "key"})
    assert "16 to 512" in message
    assert "short" not in message


@pytest.mark.parametrize(
    "url",
    [QUEUE, QUEUE + ".fifo", "http://127.0.0.1:5000/123456789012/events", "http://127.0.0.1:4566/queue/us-east-1/1/q"],
)
def test_the_url_of_a_queue(url: str) -> None:
    assert load({"eventbridge_queue_url": url}).eventbridge_queue_url == url


@pytest.mark.parametrize(
    "url",
    ["events", "https://sqs.eu-west-1.amazonaws.com/", "https://sqs.eu-west-1.amazonaws.com/events", QUEUE + "?x=1",
     "http://sqs.eu-west-1.amazonaws.com/1/events", "https://a:b@sqs.eu-west-1.amazonaws.com/1/events", QUEUE + "!"],
)  # fmt: skip
def test_what_is_no_url_of_a_queue(url: str) -> None:
    assert "the URL of an SQS queue" in refusal({"eventbridge_queue_url": url})


def test_the_table_is_whole() -> None:
    rows = settings.table()
    assert [row.name.lower() for row in rows] == list(NAMES)
    assert all(row.help.endswith(".") for row in rows)
    assert {row.name: row.default for row in rows}["IDLE_AFTER"] == "5m"


def test_every_value_shows_as_it_can_be_written() -> None:
    found = load()
    for name in NAMES:
        if name != "client_secret" and getattr(found, name) is not None:
            written = show(name, getattr(found, name))
            assert getattr(load({name: written}), name) == getattr(found, name), name
