"""All rules over settings, by what they need."""

from __future__ import annotations

from azext_amlk8s.rules import Finding, Rule, rules_in
from azext_amlk8s.settings import cluster_rules, component_rules, node_rules, option_rules, setting_rules, update_rules
from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.update import Deployed

# The health check examines these again whatever an update changes, so that it fails for them.
AT_EVERY_UPDATE = {"F101", "F102", "F103", "F105", "F107", "F108", "F119", "F121"}


def rules_over_settings() -> tuple[Rule[[Settings]], ...]:
    """The rules over settings alone."""
    return (*rules_in(setting_rules.__name__), *rules_in(component_rules.__name__))


def evaluate_rules(settings: Settings) -> tuple[Finding, ...]:
    """The findings about settings alone."""
    return tuple(finding for rule in rules_over_settings() for finding in rule(settings))


def evaluate_version_rules(
    version: str | None, auto_upgrade: bool | None, release_train: str | None = None
) -> tuple[Finding, ...]:
    """The findings about --version, --auto-upgrade and --release-train."""
    rules = (option_rules.pinned_version, option_rules.version_form, option_rules.release_train_of_pinned_version)
    return tuple(finding for rule in rules for finding in rule(version, auto_upgrade, release_train))


def evaluate_cluster_rules(settings: Settings, facts: ClusterFacts) -> tuple[Finding, ...]:
    """The findings about settings on this cluster."""
    rules = (*rules_in(node_rules.__name__), *rules_in(cluster_rules.__name__))
    return tuple(finding for rule in rules for finding in rule(settings, facts))


def evaluate_cluster_rules_after_update(after: Settings, before: Settings, facts: ClusterFacts) -> tuple[Finding, ...]:
    """The findings about the settings after an update that are new, or that the health check examines again."""
    known = set(evaluate_cluster_rules(before, facts))
    findings = evaluate_cluster_rules(after, facts)
    return tuple(finding for finding in findings if finding not in known or finding.id in AT_EVERY_UPDATE)


def evaluate_update_rules(settings: Settings, deployed: Deployed) -> tuple[Finding, ...]:
    """The findings about changes that an update cannot make."""
    rules = (
        update_rules.fixed_settings,
        update_rules.deployed_section,
        update_rules.deployed_certificate_host,
        update_rules.certificate_source_change,
    )
    return tuple(finding for rule in rules for finding in rule(settings, deployed))
