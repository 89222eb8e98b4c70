"""What erasing is done with."""

from __future__ import annotations

from collections.abc import Callable

from adapters.canonical import DOMAINS
from gateway.cutover.rules_holder import RulesHolder
from gateway.domain.privacy import RetentionRule
from gateway.privacy.parts import PrivacyParts
from gateway.settings import SettingsError
from gateway.settings_privacy import PrivacySettings
from gateway.store.store import Store
from gateway.transactions.parts import Tools


def privacy_parts(
    settings: PrivacySettings, store: Store, tools: Tools, holder: RulesHolder, events_left: Callable[[], None]
) -> PrivacyParts:
    """Raises SettingsError for a rule of a domain or geography that is not known: it would hold for nothing."""
    geographies = holder.current.rulebook.geographies
    for at, rule in enumerate(settings.retention):
        where = f"privacy.retention[{at}]"
        if rule.domain is not None and rule.domain not in DOMAINS:
            raise SettingsError(f"{where}.domain: {rule.domain!r} is none of {', '.join(DOMAINS)}")
        if rule.geography not in geographies:
            raise SettingsError(f"{where}.geography: {rule.geography!r} is not in the rulebook")
        if rule.erase_after_days is not None and rule.erase_after_days < rule.keep_days:
            raise SettingsError(f"{where}.erase_after_days is before keep_days: nothing may be erased then")
    rules = [RetentionRule(**rule.model_dump()) for rule in settings.retention]
    return PrivacyParts(
        store=store,
        tools=tools,
        rulebook=lambda: holder.current.rulebook,
        rules=rules,
        events_left=events_left,
    )
