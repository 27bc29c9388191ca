"""Addresses of clouds, plans, tenancies, people and members."""

from django.urls import path

from tenancy.views import audit, clouds, members, people, plan, projects, tenancies

app_name = "tenancy"

urlpatterns = [
    path("clouds/", clouds.cloud_list, name="cloud_list"),
    path("clouds/connect", clouds.cloud_connect, name="cloud_connect"),
    path("clouds/pause", clouds.site_pause, name="site_pause"),
    path("clouds/<slug:slug>/", clouds.cloud_detail, name="cloud_detail"),
    path("clouds/<slug:slug>/mode", clouds.cloud_mode, name="cloud_mode"),
    path("clouds/<slug:slug>/pause", clouds.cloud_pause, name="cloud_pause"),
    path("clouds/<slug:slug>/resume", clouds.cloud_resume, name="cloud_resume"),
    path("clouds/<slug:slug>/probe", clouds.cloud_probe, name="cloud_probe"),
    path("clouds/<slug:slug>/credential", clouds.cloud_credential, name="cloud_credential"),
    path("clouds/<slug:slug>/survey", clouds.cloud_survey, name="cloud_survey"),
    path("clouds/<slug:slug>/surveys/", clouds.cloud_surveys, name="cloud_surveys"),
    path("clouds/<slug:slug>/steps/", clouds.cloud_steps, name="cloud_steps"),
    path("clouds/<slug:slug>/tenancies/", clouds.cloud_tenancies, name="cloud_tenancies"),
    path("clouds/<slug:slug>/plan/", plan.plan, name="plan"),
    path("clouds/<slug:slug>/plan/act", plan.plan_act, name="plan_act"),
    path("clouds/<slug:slug>/plan/confirm", plan.plan_confirm, name="plan_confirm"),
    path("tenancies/<uuid:pk>/", tenancies.tenancy_detail, name="tenancy_detail"),
    path("tenancies/<uuid:pk>/retry", tenancies.tenancy_retry, name="tenancy_retry"),
    path("people/", people.person_list, name="person_list"),
    path("people/<uuid:pk>/", people.person_detail, name="person_detail"),
    path("people/<uuid:pk>/deactivate", people.person_deactivate, name="person_deactivate"),
    path("people/<uuid:pk>/activate", people.person_activate, name="person_activate"),
    path("audit/", audit.audit, name="audit"),
    path("projects/<slug:slug>/members/", members.members_fragment, name="members_fragment"),
    path("projects/<slug:slug>/members/add", members.member_add, name="member_add"),
    path("members/<uuid:pk>/role", members.member_role, name="member_role"),
    path("members/<uuid:pk>/remove", members.member_remove, name="member_remove"),
    path("projects/<slug:slug>/archive", projects.project_archive, name="project_archive"),
    path("projects/<slug:slug>/restore", projects.project_restore, name="project_restore"),
    path("projects/<slug:slug>/progress/", projects.progress, name="progress"),
    path("projects/<slug:slug>/entry/", projects.entry, name="entry"),
    path("projects/<slug:slug>/entry/<slug:cloud>/<str:name>", projects.entry_file, name="entry_file"),
    path("projects/<slug:slug>/entry/secret/<uuid:pk>/", projects.account_secret, name="account_secret"),
]
