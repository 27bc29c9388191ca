"""All settings, read from environment variables; docs/operate.md explains each of them.

Three ways to run:

* production (TENANTRY_PRODUCTION=1): secrets, address and mail server must be given; https only;
* demo (TENANTRY_DEMO=1): as `make run` starts it, with demo people, on this machine only;
* neither: a developer's checkout, on this machine only. It answers to loopback names and nothing else, so that
  forgetting the first variable cannot expose an unsafe site.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from config import environment as env
from config.databases import database_read
from config.keys import local_key
from config.version import VERSION

BASE_DIR = Path(__file__).resolve().parent.parent

# --- How this site runs ---------------------------------------------------------------------------------------------

PRODUCTION = env.boolean("TENANTRY_PRODUCTION")
DEMO = env.boolean("TENANTRY_DEMO")
# The emulated cloud that belongs to the demo; `make run` sets it.
EMULATOR_URL = env.text("TENANTRY_EMULATOR_URL", "")
DEBUG = env.boolean("TENANTRY_DEBUG")
if PRODUCTION and (DEMO or DEBUG):
    raise ImproperlyConfigured("TENANTRY_PRODUCTION goes with neither TENANTRY_DEMO nor TENANTRY_DEBUG: unset them.")

VAR = Path(env.text("TENANTRY_VAR", str(BASE_DIR / "var"))).resolve()


def _needed(name: str, value: str | None, example: str) -> str:
    if not value:
        raise ImproperlyConfigured(f"{name} must be set in production, for example {name}={example}")
    return value


def _secret(name: str, file: str, make: Any) -> str:
    if PRODUCTION:
        return _needed(name, env.secret(name), "(at least 50 random characters)")
    return env.secret(name) or local_key(VAR / "keys" / file, make)


SECRET_KEY = _secret("TENANTRY_SECRET_KEY", "secret-key", get_random_secret_key)

# Credentials of clouds are encrypted with the first of these and read with any of them (config.crypto).
ENCRYPTION_KEYS = [
    key.strip()
    for key in _secret("TENANTRY_SECRET_KEYS", "fernet-key", lambda: Fernet.generate_key().decode()).split(",")
    if key.strip()
]

# --- Names and addresses --------------------------------------------------------------------------------------------

SITE_NAME = env.text("TENANTRY_SITE_NAME", "Tenantry")
PORT = env.integer("TENANTRY_PORT", 8000, least=1)
SITE_URL = env.text("TENANTRY_URL", "" if PRODUCTION else f"http://127.0.0.1:{PORT}").rstrip("/")
_needed("TENANTRY_URL", SITE_URL, "https://cloud.example.org")
_address = urlsplit(SITE_URL)
if PRODUCTION and _address.scheme != "https":
    raise ImproperlyConfigured("TENANTRY_URL must begin with https:// in production.")
if not _address.hostname:
    raise ImproperlyConfigured(f"TENANTRY_URL={SITE_URL!r} has no host name.")

_LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = [_address.hostname, *env.words("TENANTRY_HOSTS")] if PRODUCTION else _LOOPBACK
CSRF_TRUSTED_ORIGINS = [SITE_URL] if PRODUCTION else []
INTERNAL_IPS: list[str] = []

# How many reverse proxies stand in front; X-Forwarded-For is believed only that deep.
PROXIES = env.integer("TENANTRY_PROXIES", 1 if PRODUCTION else 0)
if PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Applications ---------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "events",
    "tenancy",
    "quotas",
    "reporting",
    "onboarding",
    "monitoring",
    "portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "events.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # A page is for people who signed in, unless its view says otherwise with @login_not_required.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------------------------------

DATABASES = {"default": database_read(env.secret("DATABASE_URL") or "", fallback=VAR / "tenantry.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
VAR.mkdir(parents=True, exist_ok=True)

# Rate limits count here. Files, so that all processes of one machine share the counts without another server.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": VAR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}

STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = False

# --- Mail -----------------------------------------------------------------------------------------------------------

EMAIL_HOST = env.text("TENANTRY_EMAIL_HOST", "")
EMAIL_PORT = env.integer("TENANTRY_EMAIL_PORT", 587, least=1)
EMAIL_HOST_USER = env.text("TENANTRY_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.secret("TENANTRY_EMAIL_PASSWORD") or ""
EMAIL_USE_TLS = env.boolean("TENANTRY_EMAIL_TLS", True)
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = VAR / "mail"
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
if PRODUCTION:
    _needed("TENANTRY_EMAIL_HOST", EMAIL_HOST, "mail.example.org")
DEFAULT_FROM_EMAIL = env.text("TENANTRY_EMAIL_FROM", f"tenantry@{_address.hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MESSAGE_ID_DOMAIN = _address.hostname

# --- People and sign-in ---------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "tenancy.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

SIGNUP_OPEN = env.boolean("TENANTRY_SIGNUP")
ACCOUNT_ADAPTER = "config.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if PRODUCTION else "optional"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "
ACCOUNT_RATE_LIMITS = {
    "login": env.text("TENANTRY_RATE_LOGIN", "30/m/ip"),
    "login_failed": env.text("TENANTRY_RATE_LOGIN_FAILED", "10/m/ip,5/5m/key"),
}
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES


def _openid_provider(name: str) -> dict[str, Any]:
    prefix = f"TENANTRY_OIDC_{name.upper().replace('-', '_')}"
    found = {part: env.text(f"{prefix}_{part}", "") for part in ("SERVER_URL", "CLIENT_ID")}
    client_secret = env.secret(f"{prefix}_CLIENT_SECRET")
    for part, value in (found | {"CLIENT_SECRET": client_secret or ""}).items():
        if not value:
            raise ImproperlyConfigured(f"TENANTRY_OIDC_PROVIDERS lists {name!r}, so {prefix}_{part} must be set.")
    return {
        "provider_id": name,
        "name": env.text(f"{prefix}_NAME", name),
        "client_id": found["CLIENT_ID"],
        "secret": client_secret,
        "settings": {"server_url": found["SERVER_URL"], "oauth_pkce_enabled": True},
    }


_openid_providers = [_openid_provider(name) for name in env.words("TENANTRY_OIDC_PROVIDERS")]
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": _openid_providers}}
SOCIALACCOUNT_ADAPTER = "config.accounts.SocialAccountAdapter"
SOCIALACCOUNT_STORE_TOKENS = False

# --- Pages in a browser ---------------------------------------------------------------------------------------------

# The sign-in form posts to us and is redirected to the provider; browsers hold form-action against the redirect too.
_openid_origins = [
    f"{url.scheme}://{url.netloc}" for url in (urlsplit(app["settings"]["server_url"]) for app in _openid_providers)
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF, *_openid_origins],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = env.integer("TENANTRY_SESSION_HOURS", 12, least=1) * 3600
SESSION_COOKIE_NAME = "tenantry_session"
CSRF_COOKIE_NAME = "tenantry_csrf"
if PRODUCTION:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = env.integer("TENANTRY_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # Tokens first: the first class decides that a visitor is answered 401 with a challenge, not 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api_errors.handle",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.text("TENANTRY_RATE_API_VISITOR", "30/min"),
        "user": env.text("TENANTRY_RATE_API_PERSON", "600/min"),
    },
    "NUM_PROXIES": PROXIES,
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=env.integer("TENANTRY_TOKEN_DAYS", 90, least=1)),
    "TOKEN_LIMIT_PER_USER": 20,
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_PREFIX": "tnt_",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{SITE_NAME} API",
    "DESCRIPTION": "People, projects, members, limits, usage and reports over every connected cloud.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Sets of choices that several fields of one name have, by the name that clients see.
    "ENUM_NAME_OVERRIDES": {
        "MembershipRoleEnum": "tenancy.models.Membership.Role",
        "SiteRoleEnum": "tenancy.models.SiteRole.Role",
        "ProjectPurposeEnum": "tenancy.models.Project.Purpose",
        "RequestPurposeEnum": "onboarding.models.Request.Purpose",
        "RequestKindEnum": "onboarding.models.Request.Kind",
        "StepKindEnum": "tenancy.models.work.Kind",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "validatorUrl": None},
}

# --- Requests -------------------------------------------------------------------------------------------------------

# How many years ahead the last day of a project may be; it can be renewed before it ends.
PROJECT_YEARS = env.integer("TENANTRY_PROJECT_YEARS", 3, least=1)

# --- Usage and reports ----------------------------------------------------------------------------------------------

# How far back the first collection of a cloud asks; what the cloud has forgotten by then is shown as unknown.
COLLECT_BACK_DAYS = env.integer("TENANTRY_COLLECT_BACK_DAYS", 62, least=1)
# A folder with the site's own report templates; one of the same name takes the place of ours.
REPORT_TEMPLATES = env.text("TENANTRY_TEMPLATES", "")

# --- Workers --------------------------------------------------------------------------------------------------------

BROKER_FOLDER = VAR / "broker"
CELERY_BROKER_URL = env.secret("CELERY_BROKER_URL") or "tenantry-files://localhost"
# A page that wants to wake a worker does not wait for a broker that is away.
_BROKER_PATIENCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = _BROKER_PATIENCE | (
    {
        "data_folder_in": str(BROKER_FOLDER / "messages"),
        "data_folder_out": str(BROKER_FOLDER / "messages"),
        "processed_folder": str(BROKER_FOLDER / "taken"),
        "polling_interval": 0.2,
    }
    if CELERY_BROKER_URL.startswith("tenantry-files:")
    else {}
)
# Seconds between two full surveys of a cloud.
SURVEY_INTERVAL = env.integer("TENANTRY_SURVEY_SECONDS", 900, least=60)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 280
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CONCURRENCY = env.integer("TENANTRY_WORKERS", 2, least=1)
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")

# --- Log ------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.text("TENANTRY_LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request": {"()": "events.context.RequestIdFilter"},
        "one_line": {"()": "events.context.OneLineFilter"},
    },
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request", "one_line"]},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handlers would print each server error a second time.
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "keystoneauth": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
    },
}
