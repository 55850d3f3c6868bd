"""All stores of a project, opened together."""

import os
from dataclasses import dataclass
from pathlib import Path

from savor.online.identities import Identities
from savor.online.stores.address import store_address
from savor.online.stores.api_keys import ApiKeys
from savor.online.stores.assistant_accounts import AssistantAccounts
from savor.online.stores.audit import Audit
from savor.online.stores.database import Database
from savor.online.stores.database_event_store import DatabaseEventStore
from savor.online.stores.entities import EntityStore
from savor.online.stores.erasure import Erasure
from savor.online.stores.event_store import EventStore
from savor.online.stores.experiment_store import ExperimentStore
from savor.online.stores.hot_states import HotStates
from savor.online.stores.journal import Journal
from savor.online.stores.kept_lists import KeptLists
from savor.online.stores.key_ring import KeyRing
from savor.online.stores.memory_hot_states import MemoryHotStates
from savor.online.stores.options import StoreOptions
from savor.online.stores.rate_limiter import MemoryRateLimiter, RateLimiter, TokenBucket
from savor.online.stores.redis_hot_states import RedisHotStates
from savor.online.stores.redis_link import RedisLink
from savor.online.stores.redis_rate_limiter import RedisRateLimiter
from savor.online.stores.spilling_event_store import SpillingEventStore
from savor.online.stores.tombstone_key import tombstone_key
from savor.online.stores.tombstones import Tombstones
from savor.online.stores.visitors import Visitors

DATABASE_VARIABLE = "SAVOR_DATABASE_URL"
REDIS_VARIABLE = "SAVOR_REDIS_URL"
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Stores:
    """Everything that is kept while the service runs; `close` it in the end."""

    database: Database
    redis: RedisLink | None
    events: EventStore
    visitors: Visitors
    entities: EntityStore
    kept_lists: KeptLists
    experiments: ExperimentStore
    api_keys: ApiKeys
    key_ring: KeyRing
    audit: Audit
    tombstones: Tombstones
    erasure: Erasure
    hot_states: HotStates
    identities: Identities
    assistant_accounts: AssistantAccounts

    def rate_limiter(self, bucket: TokenBucket) -> RateLimiter:
        """A limiter that counts in Redis where there is one."""
        return MemoryRateLimiter(bucket) if self.redis is None else RedisRateLimiter(self.redis, bucket)

    def close(self) -> None:
        """Write what is waiting and give everything back."""
        self.events.close()
        self.experiments.close()
        self.database.close()
        if self.redis is not None:
            self.redis.close()


def database_address(options: StoreOptions) -> str:
    """Where the live database is: what the environment says, or else the options.

    Raises:
        ConfigError: a password is written out.
        DataError: an environment variable that the address names is not set.
    """
    return os.environ.get(DATABASE_VARIABLE) or store_address(options.database, "stores.database")


def open_stores(options: StoreOptions, project: Path) -> Stores:
    """Open the stores of the project in the folder `project`; nothing need be reachable yet.

    Raises:
        ConfigError: an address cannot be used.
        DataError: an environment variable that an address names is not set.
        MissingDependencyError: what an address needs is not installed.
        StoreAwayError: the key for erasures cannot be read or made.
    """
    state = project / ".savor"
    database = Database.open(database_address(options), project)
    redis_address = os.environ.get(REDIS_VARIABLE) or (
        store_address(options.redis, "stores.redis") if options.redis else None
    )
    redis = RedisLink.open(redis_address) if redis_address else None
    tombstones = Tombstones(database, tombstone_key(state / "erasure.key"))
    audit, visitors, api_keys = Audit(database), Visitors(database), ApiKeys(database)
    seconds = options.recent_days * _SECONDS_A_DAY
    memory = MemoryHotStates(options.recent_events, options.recent_users, seconds)
    hot_states: HotStates = memory
    if redis is not None:
        hot_states = RedisHotStates(redis, memory, most_events=options.recent_events, seconds=seconds)
    return Stores(
        database=database,
        redis=redis,
        events=SpillingEventStore(
            DatabaseEventStore(database, tombstones), Journal(state / "journal"), patience=options.patience
        ),
        visitors=visitors,
        entities=EntityStore(database),
        kept_lists=KeptLists(database),
        experiments=ExperimentStore(database, tombstones),
        api_keys=api_keys,
        key_ring=KeyRing(api_keys),
        audit=audit,
        tombstones=tombstones,
        erasure=Erasure(database, tombstones, audit),
        hot_states=hot_states,
        identities=Identities(visitors, hot_states),
        assistant_accounts=AssistantAccounts(database),
    )
