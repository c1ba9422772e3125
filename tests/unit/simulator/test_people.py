"""Ids never collide, names are people's."""

from journeymap.simulator.people import QUEUES, Directory, fingerprint, rosters, unique_key


def test_keys_of_different_numbers_differ() -> None:
    assert len({unique_key(number, 99) for number in range(50_000)}) == 50_000


def test_fingerprints_do_not_depend_on_the_process() -> None:
    assert fingerprint("1/5") == 0xBD82A28B1F088B3A


def test_every_place_has_its_own_customer_until_the_numbering_is_used_up() -> None:
    directory = Directory(30_000, 12345)
    ids = [directory.customer_id(place) for place in range(30_000)]
    assert len(set(ids)) == 30_000
    assert directory.customer_id(30_000) == ids[0]
    assert all(customer.startswith("cust-") and customer[5:].isdigit() and len(customer) <= 10 for customer in ids)
    assert ids[:50] != sorted(ids[:50])


def test_every_queue_has_its_own_agents() -> None:
    teams = rosters(600)
    agents = [agent for team in teams.values() for agent in team]
    assert set(teams) == {queue.name for queue in QUEUES}
    assert len({agent.agent_id for agent in agents}) == len(agents)
    assert len({agent.name for agent in agents}) == len(agents)
