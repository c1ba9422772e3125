"""The set-up page of the source `eventbridge`: what people paste from it must work."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journeymap.decode.event import decode_frame
from journeymap.decode.genesys.detail import KINDS
from journeymap.settings import load
from journeymap.source.awsfaults import PERMISSIONS
from journeymap.web.ingest import KEY_HEADER, PATH, TOPIC_HEADER, TOPIC_PARAMETER

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "sources").glob("*.md"))
PAGE = (ROOT / "docs" / "sources" / "eventbridge.md").read_text(encoding="utf-8")
SAMPLES = ROOT / "tests" / "data" / "genesys" / "sdk-eventbridge-journey-voice-blind-transfer.json"


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)


def url_of(arn: str) -> str:
    """The URL of a queue."""
    _, _, _, region, account, name = arn.split(":")
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def documents() -> Iterator[Any]:
    for block in blocks(PAGE, "json"):
        yield json.loads(block)


def matches(pattern: list[Any], value: str) -> bool:
    """As EventBridge compares a field: any of the texts, or of the beginnings."""
    return any(value.startswith(each["prefix"]) if isinstance(each, dict) else value == each for each in pattern)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_json_and_toml_can_be_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for block in blocks(text, "json"):
        json.loads(block)
    for block in blocks(text, "toml"):
        tomllib.loads(block)


def test_the_pattern_lets_through_what_is_used_and_nothing_else() -> None:
    (pattern,) = (each for each in documents() if "detail-type" in each)
    for envelope in json.loads(SAMPLES.read_text(encoding="utf-8")):
        assert all(matches(allowed, envelope[field]) for field, allowed in pattern.items())
    for topic in ("v2.operations.events.{id}", "v2.analytics.queues.{id}.observations", "v2.detail.events.other"):
        assert not matches(pattern["detail-type"], topic)
    assert not matches(pattern["source"], "aws.s3")


def test_the_topics_are_those_that_are_decoded() -> None:
    listed = re.findall(r"^ +(v2\.detail\S+)(?: +(v2\.detail\S+))?$", PAGE, re.MULTILINE)
    kinds = {topic.partition("{id}.")[2] for row in listed for topic in row if topic}
    assert kinds == set(KINDS)


def test_policies_grant_what_is_asked_for_and_no_more() -> None:
    statements = [each for policy in documents() if "Statement" in policy for each in policy["Statement"]]
    actions = [set([each["Action"]] if isinstance(each["Action"], str) else each["Action"]) for each in statements]
    assert actions.count(set(PERMISSIONS.values())) == 1
    others = {"sqs:SendMessage", "events:InvokeApiDestination", "sts:AssumeRole"}
    assert set().union(*actions) == {*PERMISSIONS.values(), *others}
    for statement in statements:
        if statement["Action"] == "sts:AssumeRole":  # of a role, which is the resource
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert statement["Condition"]
        else:
            assert statement["Resource"] != "*"
    (queue,) = (each for each in documents() if "RedrivePolicy" in each)
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"].endswith(":journeymap-dead")
    assert all(isinstance(value, str) for value in queue.values())


def test_the_queues_are_given_the_policy_that_is_shown(tmp_path: Path) -> None:
    (shown,) = (each for each in documents() if "RuleMaySend" in json.dumps(each) and "Statement" in each)
    (text,) = (block for block in blocks(PAGE, "json") if '"Policy"' in block)
    (command,) = re.findall(r"^(sed .*)$", PAGE, re.MULTILINE)
    (tmp_path / "policy.json").write_text(text, encoding="utf-8")
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    for name, queue in (("policy", "journeymap"), ("policy-dead", "journeymap-dead")):
        attributes = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        assert attributes.keys() == {"Policy"}
        (statement,) = json.loads(attributes["Policy"])["Statement"]
        arn = f"arn:aws:sqs:eu-west-1:123456789012:{queue}"
        assert statement == {**shown["Statement"][0], "Resource": arn}
        assert f"file://{name}.json \\\n    --queue-url {url_of(arn)}\n" in PAGE


def test_every_file_of_a_command_is_shown_or_made() -> None:
    used = set(re.findall(r"file://([\w-]+\.json)", PAGE))
    assert {"policy.json", "policy-dead.json", "trust.json", "invoke.json"} < used
    assert [name for name in used if f"`{name}`" not in PAGE and f"> {name}" not in PAGE] == []


def test_the_settings_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (text,) = blocks(PAGE, "toml")
    (tmp_path / "journeymap.toml").write_text(text, encoding="utf-8")
    assert load().missing() == []


def test_the_test_event_is_one() -> None:
    (event,) = re.findall(r"^(\{\"version\".*\})$", PAGE, re.MULTILINE)
    (found,), rejected = decode_frame(event.encode())
    assert (found.interaction_id, found.type, rejected) == ("test-1", "customer.start", [])


def test_paths_and_headers_are_those_of_the_code() -> None:
    assert set(re.findall(r"/ingest/\w+/\w+", PAGE)) == {PATH}
    names = {name.lower() for name in re.findall(r"-H ['\"]([\w-]+):", PAGE)}
    assert names == {KEY_HEADER, TOPIC_HEADER, "content-type"}
    assert f"?{TOPIC_PARAMETER}=v2." in PAGE
