"""Requested settings against deployed ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.settings import (
    Settings,
    evaluate_update_rules,
    find_differences,
    lost_protected_settings,
    plan_update,
    read_deployed,
    settings_after_update,
    stopped_workloads,
)

TRAINING = {"enableTraining": "True", "enableInference": "False"}
ROUTER = {
    "enableTraining": "True",
    "enableInference": "True",
    "allowInsecureConnections": "True",
    "inferenceRouterServiceType": "loadBalancer",
}
CERTIFICATE = ("scoringFe.sslCert", "scoringFe.sslKey")
RELAY = ("relayServerConnectionString", "relayserver.relayConnectionString")


def extension(config: dict[str, str], *protected: str, **more: Any) -> dict[str, Any]:
    """An extension as ARM describes it: protected values come back empty."""
    return {
        "properties": {
            "configurationSettings": config,
            "configurationProtectedSettings": dict.fromkeys(protected, ""),
            "provisioningState": "Succeeded",
            "version": None,
            "releaseTrain": "Stable",
            "autoUpgradeMinorVersion": True,
            **more,
        }
    }


@dataclass(frozen=True)
class Case:
    """A deployed extension, the given settings, and the properties that are sent."""

    name: str
    there: dict[str, Any]
    config: dict[str, str]
    sent: dict[str, Any]
    protected: dict[str, str] = field(default_factory=dict)
    restored: dict[str, str] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("nothing changes", extension(TRAINING), {"enableTraining": "True"}, {}),
    Case("true is True", extension({"enableTraining": "true"}), {"enableTraining": "True"}, {}),
    Case(
        "loadbalancer is loadBalancer", extension({**ROUTER, "inferenceRouterServiceType": "LoadBalancer"}), ROUTER, {}
    ),
    Case(
        "only what differs is sent",
        extension({**TRAINING, "installVolcano": "True"}),
        {"enableTraining": "True", "installVolcano": "False"},
        {"configurationSettings": {"installVolcano": "False"}},
    ),
    Case(
        "a key in a case that the chart does not read is not the key",
        extension({**TRAINING, "InferenceRouterHA": "False"}),
        {"inferenceRouterHA": "False"},
        {"configurationSettings": {"inferenceRouterHA": "False"}},
    ),
    Case(
        "a version alone touches no section",
        extension(TRAINING, *CERTIFICATE),
        {},
        {"version": "1.1.70", "autoUpgradeMinorVersion": False},
        versions={"version": "1.1.70"},
    ),
    Case(
        "the same version changes nothing",
        extension(TRAINING, version="1.1.70", autoUpgradeMinorVersion=False),
        {},
        {},
        versions={"version": "1.1.70"},
    ),
    Case(
        "upgrades on again",
        extension(TRAINING, version="1.1.70", autoUpgradeMinorVersion=False),
        {},
        {"autoUpgradeMinorVersion": True},
        versions={"auto_upgrade": True},
    ),
    Case("the train minds no case", extension(TRAINING), {}, {}, versions={"release_train": "stable"}),
    Case("another train", extension(TRAINING), {}, {"releaseTrain": "preview"}, versions={"release_train": "preview"}),
    Case(
        "plain settings leave the protected ones alone",
        extension(ROUTER, *CERTIFICATE),
        {"installVolcano": "False"},
        {"configurationSettings": {"installVolcano": "False"}},
    ),
    Case(
        "a protected setting takes the others with it",
        extension(TRAINING, *RELAY, "azure_log_analytics.connection_string"),
        {},
        {
            "configurationProtectedSettings": {
                "azure_log_analytics.connection_string": "new",
                **dict.fromkeys(RELAY, "r"),
            }
        },
        {"azure_log_analytics.connection_string": "new"},
        dict.fromkeys(RELAY, "r"),
    ),
    Case(
        "node ports instead of a load balancer",
        extension(
            {**ROUTER, "internalLoadBalancerProvider": "azure", "scoringFe.serviceType.internalLoadBalancer": "True"}
        ),
        {"inferenceRouterServiceType": "nodePort"},
        {
            "configurationSettings": {
                "scoringFe.serviceType.nodePort": "True",
                "scoringFe.serviceType.internalLoadBalancer": "False",
                "inferenceRouterServiceType": "nodePort",
            }
        },
    ),
    Case(
        "a load balancer instead of node ports",
        extension({**ROUTER, "inferenceRouterServiceType": "nodePort", "scoringFe.serviceType.nodePort": "true"}),
        {"inferenceRouterServiceType": "loadBalancer"},
        {
            "configurationSettings": {
                "scoringFe.serviceType.nodePort": "False",
                "inferenceRouterServiceType": "loadBalancer",
            }
        },
    ),
    Case(
        "HTTPS by a secret",
        extension(ROUTER),
        {"allowInsecureConnections": "False", "sslSecret": "tls", "sslCname": "a.b"},
        {
            "configurationSettings": {
                "scoringFe.sslSecret": "tls",
                "allowInsecureConnections": "False",
                "sslSecret": "tls",
                "sslCname": "a.b",
            }
        },
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sent_properties(case: Case) -> None:
    update = plan_update(
        Settings(case.config, case.protected), read_deployed(case.there), case.restored, **case.versions
    )
    assert update.body == ({"properties": case.sent} if case.sent else {})
    assert bool(update.changes) == bool(case.sent)
    assert update.lost == ()


LOST = [
    ("nothing protected is given", (*CERTIFICATE, *RELAY), {}, {}, ()),
    ("the certificate", (*CERTIFICATE, *RELAY), {"azure_log_analytics.connection_string": "k"}, dict.fromkeys(RELAY, "r"), CERTIFICATE),
    ("no custom secret is returned", RELAY, dict.fromkeys(CERTIFICATE, "pem"), {}, RELAY),
    ("the other tool's paths are worth nothing", ("sslCertPemFile", "sslKeyPemFile", *CERTIFICATE), dict.fromkeys(CERTIFICATE, "pem"), {}, ()),
    ("all is given", CERTIFICATE, dict.fromkeys(CERTIFICATE, "pem"), {}, ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "there", "given", "restored", "lost"), LOST, ids=[case[0] for case in LOST])
def test_lost_protected_settings(
    name: str, there: tuple[str, ...], given: dict[str, str], restored: dict[str, str], lost: tuple[str, ...]
) -> None:
    """Each is named, with the setting to give."""
    update = plan_update(Settings({}, given), read_deployed(extension(ROUTER, *there)), restored)
    assert update.lost == lost
    findings = lost_protected_settings(update)
    assert {finding.subject for finding in findings} == set(lost)
    assert all(finding.fix.endswith(" again with --config-protected.") for finding in findings)


KEYS = st.sampled_from([*CERTIFICATE, *RELAY, "azure_log_analytics.connection_string", "sslCname"])


@given(st.sets(KEYS), st.dictionaries(KEYS, st.text(min_size=1)), st.dictionaries(KEYS, st.text(min_size=1)))
def test_protected_setting_is_sent_again_or_reported(
    there: set[str], protected: dict[str, str], restored: dict[str, str]
) -> None:
    """A deployed protected setting is sent again, unchanged, or reported as lost."""
    update = plan_update(Settings({}, protected), read_deployed(extension(TRAINING, *there)), restored)
    section = update.body.get("properties", {}).get("configurationProtectedSettings")
    assert section is None or there <= {*section, *update.lost}
    assert (section is None) == (not protected)


GIVEN = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("enableTraining", "enableInference", "allowInsecureConnections"), st.sampled_from(("True", "False"))
        ),
        "inferenceRouterServiceType": st.sampled_from(("nodePort", "loadBalancer", "clusterIP")),
        "internalLoadBalancerProvider": st.just("azure"),
        "sslSecret": st.text(min_size=1),
    },
)


@given(GIVEN, GIVEN)
def test_repeated_update_changes_nothing(first: dict[str, str], second: dict[str, str]) -> None:
    """The same update of an updated extension sends nothing."""
    there = read_deployed(extension({**ROUTER, **first}))
    sent = plan_update(Settings(second), there, {}).body.get("properties", {}).get("configurationSettings", {})
    after = read_deployed(extension({**there.config, **sent}))
    assert plan_update(Settings(second), after, {}).body == {}


STOPS = [
    ("training off", ROUTER, {"enableTraining": "False"}, {"jobs"}),
    ("inference off", ROUTER, {"enableInference": "False"}, {"endpoints"}),
    ("training off that was off", {**ROUTER, "enableTraining": "False"}, {"enableTraining": "False"}, set()),
    ("training on", {**ROUTER, "enableTraining": "False"}, {"enableTraining": "True"}, set()),
    ("device plugin off", {**ROUTER, "installNvidiaDevicePlugin": "True"}, {"installNvidiaDevicePlugin": "False"}, {"jobs", "endpoints"}),
    ("device plugin off by default", ROUTER, {"installNvidiaDevicePlugin": "False"}, set()),
    ("another selector", ROUTER, {"nodeSelector.pool": "gpu"}, {"jobs", "endpoints"}),
    ("a selector with training only", TRAINING, {"nodeSelector.pool": "gpu"}, {"jobs"}),
    ("the same selector", {**ROUTER, "nodeSelector.pool": "gpu"}, {"nodeSelector.pool": "gpu"}, set()),
    ("another service", ROUTER, {"inferenceRouterServiceType": "nodePort"}, {"endpoints"}),
    ("the router of a cluster without one", TRAINING, {"inferenceRouterServiceType": "nodePort"}, set()),
    ("the scheduler", ROUTER, {"installVolcano": "False"}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "there", "config", "what"), STOPS, ids=[stop[0] for stop in STOPS])
def test_stopped_workloads(name: str, there: dict[str, str], config: dict[str, str], what: set[str]) -> None:
    now = read_deployed(extension(there))
    assert set(stopped_workloads(plan_update(Settings(config), now, {}).changes, now)) == what


def test_provider_of_another_service_is_ignored() -> None:
    """The service keeps the setting; with node ports it has no effect."""
    there = read_deployed(extension({**ROUTER, "internalLoadBalancerProvider": "azure"}))
    assert (
        "internalLoadBalancerProvider"
        not in settings_after_update(there, Settings({"inferenceRouterServiceType": "nodePort"})).config
    )
    assert "internalLoadBalancerProvider" in settings_after_update(there, Settings({"installVolcano": "False"})).config


@pytest.mark.parametrize(
    "odd",
    [
        {"properties": None},
        {},
        {"properties": {"configurationSettings": None, "configurationProtectedSettings": None, "releaseTrain": None}},
    ],
    ids=["properties null", "no properties", "sections null"],
)
def test_missing_properties_are_empty(odd: dict[str, Any]) -> None:
    there = read_deployed(odd)
    assert (dict(there.config), set(there.protected)) == ({}, set())


CREATE = [
    ("the same", TRAINING, {"enableTraining": "True"}, {}, {}, []),
    ("a derived default does not count", {**TRAINING, "clusterPurpose": "DevTest"}, {"enableTraining": "True"}, {}, {}, []),
    ("inference is deployed and not requested", ROUTER, {"enableTraining": "True"}, {}, {}, ["enableInference"]),
    ("a protected value cannot be compared", TRAINING, {"enableTraining": "True"}, {"relayServerConnectionString": "x"}, {}, []),
    ("a protected setting that is not there", TRAINING, {"enableTraining": "True"}, {"scoringFe.sslCert": "x"}, {}, ["scoringFe.sslCert"]),
    ("another version", TRAINING, {"enableTraining": "True"}, {}, {"version": "1.0.0"}, ["version", "autoUpgradeMinorVersion"]),
    ("another train", TRAINING, {"enableTraining": "True"}, {}, {"release_train": "preview"}, ["releaseTrain"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "there", "config", "protected", "versions", "keys"), CREATE, ids=[case[0] for case in CREATE]
)
def test_differences_of_a_repeated_create(
    name: str,
    there: dict[str, str],
    config: dict[str, str],
    protected: dict[str, str],
    versions: dict[str, Any],
    keys: list[str],
) -> None:
    """Given settings are compared, and those that follow from them."""
    now = read_deployed(extension(there, *RELAY))
    assert [difference.key for difference in find_differences(Settings(config, protected), now, **versions)] == keys


def test_changes_show_no_secret() -> None:
    update = plan_update(
        Settings({}, {"relayServerConnectionString": "s3cret"}), read_deployed(extension(TRAINING, *RELAY)), {}
    )
    assert "s3cret" not in " ".join(map(str, update.changes))


TLS_FILES = Settings({}, {"scoringFe.sslCert": "QQ==", "scoringFe.sslKey": "QQ=="})
DEPLOYED_TLS = extension({"sslCname": "a.b"}, "scoringFe.sslCert", "scoringFe.sslKey")
GIVE_AGAIN = "Give sslCertPemFile and sslKeyPemFile again to have them checked."
# Case, the deployed extension, the settings of the update; ID, subject and fix of each finding.
UPDATES: list[tuple[str, dict[str, Any], Settings, list[tuple[str, str, str]]]] = [
    ("another cluster", extension({"cluster_name": "/a"}), Settings({"cluster_name": "/b"}), [("U101", "cluster_name", "Leave out cluster_name.")]),
    ("the same cluster", extension({"cluster_name": "/a"}), Settings({"cluster_name": "/a"}), []),
    ("another setting where a secret is deployed", extension({"sslSecret": "tls"}), Settings({"installPromOp": "False"}), []),
    ("a cluster that is not deployed", extension({}), Settings({"cluster_name": "/b"}), []),
    ("a cluster that is reset", extension({"cluster_name": "/a"}), Settings({"cluster_name": ""}), []),
    ("a protected setting among the plain ones", extension({}, "sslCname"), Settings({"sslCname": "a.b"}), [("U102", "sslCname", "--config-protected sslCname=a.b")]),
    ("a plain setting among the protected ones", extension({"sslCname": "a.b"}), Settings({}, {"sslCname": "a.b"}), [("U102", "sslCname", "--config sslCname=a.b")]),
    ("a setting in its section", extension({"sslCname": "a.b"}), Settings({"sslCname": "a.b"}), []),
    ("a new host with the deployed certificate", DEPLOYED_TLS, Settings({"sslCname": "c.d"}), [("U104", "sslCname", GIVE_AGAIN)]),
    ("the same host with the deployed certificate", DEPLOYED_TLS, Settings({"sslCname": "a.b"}), []),
    ("a new host with a new certificate", DEPLOYED_TLS, Settings({"sslCname": "c.d"}, TLS_FILES.protected), []),
    ("a new host without a certificate", extension({"sslCname": "a.b"}), Settings({"sslCname": "c.d"}), []),
    ("files where a secret is deployed", extension({"sslSecret": "tls"}), TLS_FILES, [("U105", "sslSecret", "--config sslSecret=")]),
    ("files where a protected secret is deployed", extension({}, "sslSecret"), TLS_FILES, [("U105", "sslSecret", "--config-protected sslSecret=")]),
    ("files in place of a secret", extension({"sslSecret": "tls"}), Settings({"sslSecret": ""}, TLS_FILES.protected), []),
    ("a secret where files are deployed", DEPLOYED_TLS, Settings({"sslSecret": "tls"}), [("U105", "sslSecret", "Give the certificate as sslCertPemFile and sslKeyPemFile, or delete the extension and create it again.")]),
    ("a secret where none is deployed", extension({}), Settings({"sslSecret": "tls"}), []),
    ("files where files are deployed", DEPLOYED_TLS, TLS_FILES, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("deployed", "settings", "expected"), [case[1:] for case in UPDATES], ids=[case[0] for case in UPDATES]
)
def test_finding_on_an_update(
    deployed: dict[str, Any], settings: Settings, expected: list[tuple[str, str, str]]
) -> None:
    findings = evaluate_update_rules(settings, read_deployed(deployed))
    assert [(finding.id, finding.subject, finding.fix) for finding in findings] == expected
