"""What was changed outlives the process; what the seed gives is not stored; another world's file is refused."""

import json

import pytest

from emulator import state
from emulator.__main__ import build, parser
from emulator.app import create_app
from emulator.world import WorldConfig
from tests.emulator.cloud import Cloud


def reborn(cloud: Cloud, **config) -> Cloud:
    """The same world in a new process: only what the file would hold is taken over."""
    found = json.loads(json.dumps(state.differences(cloud.world)))
    again = Cloud.__new__(Cloud)
    Cloud.__init__(again, **config)
    again.app = create_app(WorldConfig(**{**vars_of(cloud), "now": cloud.world.now}), state=found)
    again.client.application = again.app
    again.admin = again.login("admin", "emulator-secret", project="admin")
    return again


def vars_of(cloud: Cloud) -> dict:
    return {name: getattr(cloud.world.config, name) for name in cloud.world.config.__dataclass_fields__}


@pytest.fixture
def changed() -> Cloud:
    """A living cloud in which a bit of everything was made, changed and deleted."""
    cloud = Cloud(projects=3, servers=20, volumes=15, seed=5)
    token, _, project = cloud.member("ada", "p1")
    cloud.boot(token, "mine")
    cloud.post("volume", "/volumes", {"volume": {"size": 3, "name": "disk"}}, token=token)
    cloud.put("network", f"/quotas/{project}", {"quota": {"network": 3}})
    cloud.put("compute", f"/os-quota-sets/{project}", {"quota_set": {"cores": 3}})
    cloud.control("POST", "life", {"project_id": project, "servers": 4, "volumes": 2})
    seeded = cloud.get("compute", "/servers?all_tenants=1").json["servers"]
    cloud.delete("compute", f"/servers/{seeded[3]['id']}")
    gone = cloud.get("identity", "/projects").json["projects"]
    cloud.delete("identity", f"/projects/{next(p['id'] for p in gone if p['name'] == 'climate-model')}")
    cloud.advance(60)
    return cloud


QUESTIONS = (
    ("compute", "/servers/detail?all_tenants=1"), ("volume", "/volumes/detail?all_tenants=1"),
    ("identity", "/projects"),
    ("volume", "/snapshots/detail?all_tenants=1"), ("identity", "/users"),
    ("identity", "/role_assignments?include_names"),
    ("network", "/quotas"), ("network", "/networks"), ("network", "/ports"), ("network", "/floatingips"),
    ("compute", "/os-simple-tenant-usage?detailed=1&start=2026-10-01T00:00:00&end=2026-11-20T00:00:00"),
)  # fmt: skip


def test_a_new_process_tells_the_same(changed):
    again = reborn(changed)
    for service, path in QUESTIONS:
        assert again.get(service, path).json == changed.get(service, path).json, path
    assert again.control("GET", "accounting") == changed.control("GET", "accounting")
    assert again.try_login("ada", "pw").status_code == 201


def test_new_ids_go_on_where_they_were(changed):
    again = reborn(changed)
    assert again.make_project("next") == changed.make_project("next")


def test_only_differences_are_stored(changed):
    found = state.differences(changed.world)
    assert len(found["tables"]["projects"]) == 2, "one made, one deleted"
    assert None in found["tables"]["projects"].values()
    assert len(found["tables"]["servers"]) == 2
    untouched = state.differences(Cloud(projects=50, servers=500).world)
    assert untouched["tables"] == {}


def test_the_file_is_written_whole_and_read_back(changed, tmp_path):
    path = tmp_path / "deep" / "emulator.json"
    keeper = state.Keeper(changed.world, path)
    keeper.save()
    assert state.read(path) == json.loads(json.dumps(state.differences(changed.world))) | {
        "ahead_of_host": state.read(path)["ahead_of_host"]
    }
    assert [one.name for one in path.parent.iterdir()] == ["emulator.json"]
    before = path.stat().st_mtime_ns
    keeper.save()
    assert path.stat().st_mtime_ns == before, "nothing changed, nothing written"
    changed.make_project("later")
    keeper.finish()
    assert "later" in path.read_text()


def test_the_clock_goes_on_from_the_file(tmp_path):
    path = tmp_path / "emulator.json"
    first = build(parser().parse_args(["--state", str(path), "--projects", "2"]))
    first.world.clock.advance(30 * 86_400)
    state.Keeper(first.world, path).finish()
    second = build(parser().parse_args(["--state", str(path), "--projects", "2"]))
    assert second.world.now == pytest.approx(first.world.now, abs=60)
    assert second.world.origin == first.world.origin


@pytest.mark.parametrize("options", [["--seed", "2"], ["--projects", "9"], ["--release", "zed"]])
def test_the_file_of_another_world_is_refused(tmp_path, options):
    path = tmp_path / "emulator.json"
    state.Keeper(build(parser().parse_args(["--state", str(path)])).world, path).finish()
    with pytest.raises(state.StateMismatch, match="another world"):
        build(parser().parse_args(["--state", str(path), *options]))


def test_fault_rules_can_come_from_a_file(tmp_path):
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([{"service": "compute", "status": 500}]))
    app = build(parser().parse_args(["--faults", str(path)]))
    assert [rule.status for rule in app.faults.all()] == [500]
    path.write_text(json.dumps([{"service": "compute", "statsu": 500}]))
    with pytest.raises(ValueError, match="statsu"):
        build(parser().parse_args(["--faults", str(path)]))
