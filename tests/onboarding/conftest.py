from tests.quotas.fixtures import *  # noqa: F403
