"""The import of members: all or nothing, every mistake by its line, and the file as the truth of its source only."""

import pytest
from django.core.management import CommandError, call_command

from onboarding.imports import members_read
from tenancy.models import Membership, Person, Project
from tests.quotas.world import project_make


@pytest.fixture
def run(tmp_path, capsys):
    def _run(text, *options, source="registry"):
        file = tmp_path / "members.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        call_command("import_members", str(file), "--source", source, *options)
        return capsys.readouterr().out

    return _run


def members(project):
    rows = Membership.objects.current().filter(project=project)
    return {row.person.username: (row.role, row.source) for row in rows.select_related("person")}


def test_a_file_is_the_truth_of_its_source_and_of_no_other(world, run):
    assert "2 added, 0 changed, 0 ended." in run(
        "project,person,role\nkelp,stranger,member\nkelp,finance@example.org,viewer\n"
    )
    assert "0 added, 1 changed, 1 ended." in run("project,person,role\nkelp,stranger,manager\n")
    assert members(world.project) == {
        "owner": ("owner", ""),
        "manager": ("manager", ""),
        "member": ("member", ""),
        "viewer": ("viewer", ""),
        "stranger": ("manager", "registry"),
    }
    gone = Membership.objects.get(person=world.finance)
    assert (gone.end_reason, gone.end_decided) == ("import", False)


def test_the_same_file_twice_changes_nothing_the_second_time(world, run):
    text = "project,person,role\nkelp,stranger,member\n"
    run(text)
    assert "0 added, 0 changed, 0 ended." in run(text)


def test_a_mark_at_the_beginning_and_other_columns_are_no_harm(world, run):
    text = "\ufeffperson,email,role,project\r\nstranger,x@example.org, member ,kelp\r\n"
    assert "1 added" in run(text)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nowhere,stranger,member", "There is no project “nowhere”."),
        ("kelp,nobody,member", "There is no person “nobody”."),
        ("kelp,stranger,boss", "“boss” is no role"),
        ("kelp,stranger", "not as many cells"),
        ("kelp,stranger,member,extra", "not as many cells"),
        ("kelp,finance,member", "is in kelp twice"),
        ("old,stranger,member", "The project “old” is archived."),
        ("kelp,twin@example.org,member", "the address of 2 people"),
        ("kelp,gone,member", "is not active"),
    ],
)
def test_one_bad_line_stops_the_whole_file_and_is_named(world, run, capsys, line, says):
    project_make("old", state=Project.State.ARCHIVED)
    for name in ("twin-a", "twin-b"):
        Person.objects.create_user(name, email="twin@example.org")
    Person.objects.create_user("gone", is_active=False)
    before = members(world.project)
    with pytest.raises(CommandError, match="1 line cannot be imported, so nothing was"):
        run(f"project,person,role\nkelp,finance,viewer\n{line}\n")
    told = capsys.readouterr().err
    assert "members.csv:3: " in told
    assert says in told
    assert members(world.project) == before


def test_every_mistake_is_told_at_once(world, run, capsys):
    with pytest.raises(CommandError, match="2 lines"):
        run("project,person,role\nnowhere,stranger,member\nkelp,finance,viewer\nkelp,nobody,member\n")
    told = capsys.readouterr().err
    assert "members.csv:2: There is no project “nowhere”." in told
    assert "members.csv:4: There is no person “nobody”." in told


@pytest.mark.parametrize(
    "text", ["", "a,b,c\n", "project,person\nkelp,stranger\n", b"\xff\xfe\x00", 'project,person,role\nkelp,"x']
)
def test_what_is_no_such_file_is_refused(world, run, text):
    before = members(world.project)
    with pytest.raises(CommandError):
        run(text)
    assert members(world.project) == before


def test_a_check_changes_nothing(world, run):
    assert "Members that can be imported: 1." in run("project,person,role\nkelp,stranger,member\n", "--check")
    assert "stranger" not in members(world.project)


def test_the_number_of_queries_does_not_follow_the_number_of_lines(world, django_assert_num_queries):
    for number in range(200):
        Person.objects.create_user(f"student-{number}")
    lines = ["project,person,role\n", *(f"kelp,student-{number},member\n" for number in range(200))]
    with django_assert_num_queries(3):
        assert len(members_read(lines)) == 200
