"""Plausible names of research projects, people and machines, chosen by number."""

FIRST = (
    "Ada", "Amira", "Anders", "Anja", "Bela", "Carla", "Chen", "Clara", "Daria", "David", "Elena", "Emil", "Fatima",
    "Felix",
    "Grete", "Hana", "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Julia", "Karim", "Katja", "Lars", "Lena", "Leon", "Lin",
    "Luca", "Maja", "Marek", "Marie", "Mateo", "Milan", "Mina", "Nadia", "Nils", "Nora", "Olga", "Omar", "Paula",
    "Pavel",
    "Priya", "Rafael", "Rania", "Rosa", "Samir", "Sara", "Selma", "Sofia", "Stefan", "Tariq", "Tessa", "Tim",
    "Viktor", "Yara",
)  # fmt: skip
LAST = (
    "Abel", "Albers", "Becker", "Berg", "Blum", "Brandt", "Costa", "Dahl", "Diaz", "Dupont", "Ebert", "Eriksen", "Falk",
    "Ferrari", "Fischer", "Frank", "Garcia", "Gruber", "Haas", "Hansen", "Hoffmann", "Horvat", "Huber", "Ito", "Jansen",
    "Keller", "Khan", "Klein", "Koch", "Kovac", "Kraus", "Lang", "Larsen", "Lopez", "Maier", "Martin", "Meyer",
    "Moreau",
    "Nagy", "Novak", "Olsen", "Patel", "Peters", "Popov", "Ricci", "Rossi", "Sato", "Schmidt", "Silva", "Singh",
    "Vogel",
    "Wagner", "Weber", "Winter", "Wolf", "Young", "Zhang", "Ziegler",
)  # fmt: skip
FIELDS = (
    "climate", "genome", "protein", "plasma", "ocean", "glacier", "soil", "river", "forest", "galaxy", "neutrino",
    "quark",
    "polymer", "enzyme", "brain", "heart", "speech", "language", "traffic", "energy", "battery", "solar", "wind",
    "seismic",
    "archive", "history", "museum", "economy", "migration", "robot", "vision", "drone",
)  # fmt: skip
WORK = (
    "model", "atlas", "imaging", "forecast", "dynamics", "screening", "lab", "survey", "archive", "learning", "sim",
    "mesh",
    "course", "pipeline", "twin", "network",
)  # fmt: skip
TITLES = {
    "model": "Numerical {field} model", "atlas": "An open {field} atlas", "imaging": "{field} imaging at scale",
    "forecast": "Seasonal {field} forecasts", "dynamics": "{field} dynamics",
    "screening": "High-throughput {field} screening",
    "lab": "Virtual {field} laboratory", "survey": "The {field} survey", "archive": "The digital {field} archive",
    "learning": "Machine learning for {field} data", "sim": "{field} simulation", "mesh": "{field} sensor mesh",
    "course": "Practical course: {field}", "pipeline": "{field} data pipeline", "twin": "A digital twin: {field}",
    "network": "{field} research network",
}  # fmt: skip
MACHINES = (
    "web", "db", "train", "jupyter", "worker", "login", "build", "api", "notebook", "gpu", "compute", "gateway",
    "monitor",
    "store", "queue", "test",
)  # fmt: skip
DISKS = ("data", "scratch", "home", "backup", "results", "models", "dataset", "root")


def project_name(number: int) -> str:
    """Unique for every number: the first 512 read well, later ones carry a round."""
    field = FIELDS[number % len(FIELDS)]
    work = WORK[(number // len(FIELDS) + number) % len(WORK)]
    turn = number // (len(FIELDS) * len(WORK))
    return f"{field}-{work}" if turn == 0 else f"{field}-{work}-{turn + 1}"


def project_title(number: int) -> str:
    field = FIELDS[number % len(FIELDS)]
    text = TITLES[WORK[(number // len(FIELDS) + number) % len(WORK)]].format(field=field)
    return text[0].upper() + text[1:]


def person(number: int) -> tuple[str, str, str]:
    """(user name, full name, e-mail address), unique for every number."""
    first = FIRST[number % len(FIRST)]
    last = LAST[(number // len(FIRST) + number) % len(LAST)]
    turn = number // (len(FIRST) * len(LAST))
    user = f"{first}.{last}".lower() + (str(turn + 1) if turn else "")
    return user, f"{first} {last}", f"{user}@campus.example"
